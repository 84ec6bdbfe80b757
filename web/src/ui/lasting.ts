import { useEffect, useState } from 'preact/hooks';

/** Whether `isTrue` has been so for `ms` milliseconds without a break. */
export function useLasting(isTrue: boolean, ms: number): boolean {
  const [lasted, setLasted] = useState(false);
  useEffect(() => {
    if (!isTrue) {
      setLasted(false);
      return undefined;
    }
    const timer = setTimeout(() => setLasted(true), ms);
    return () => clearTimeout(timer);
  }, [isTrue, ms]);
  return isTrue && lasted;
}
