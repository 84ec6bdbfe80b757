import { describe, expect, it } from 'vitest';
import { checkName } from './names.ts';

describe("one's own name", () => {
  it.each(['Ada', ' Ada ', 'Ève-Marie', '李小龙', '😀'.repeat(64)])('may be %s', (name) => {
    expect(checkName(name)).toBeNull();
  });

  it.each(['', '   ', 'a\u202eb', 'a\nb', 'a\u0000', '\ud800', 'x'.repeat(65)])('may not be %j', (name) => {
    expect(checkName(name)).not.toBeNull();
  });
});
