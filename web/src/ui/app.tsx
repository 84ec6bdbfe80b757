// Which page is shown: the address decides.
import type { JSX } from 'preact';
import { useEffect, useRef, useState } from 'preact/hooks';
import { readPlace, storedGenerations, writePlace, type Place } from '../room/link.ts';
import type { NewRoom } from '../room/create.ts';
import type { RoomParts } from '../room/room.ts';
import { LINK_HEADING, LINKS } from '../strings.ts';
import { Home } from './home.tsx';
import { Meeting } from './meeting.tsx';
import { MessagePage } from './message_page.tsx';

const generations = storedGenerations(() => localStorage);

function readAddress(): Place {
  return readPlace(location.pathname, location.hash, generations);
}

/** The whole page. */
export function App({ parts }: { readonly parts: RoomParts }): JSX.Element {
  const [place, setPlace] = useState(readAddress);
  const made = useRef<NewRoom | null>(null);

  useEffect(() => {
    const read = (): void => setPlace(readAddress());
    addEventListener('popstate', read);
    addEventListener('hashchange', read);
    return () => {
      removeEventListener('popstate', read);
      removeEventListener('hashchange', read);
    };
  }, []);

  const show = (address: string): void => {
    history.pushState(null, '', address);
    setPlace(readAddress());
    scrollTo(0, 0);
  };
  const goHome = (): void => show('/');

  switch (place.type) {
    case 'home':
      return (
        <Home
          parts={parts}
          onMade={(room) => {
            made.current = room;
            show(writePlace(room.room, room.fragment));
          }}
        />
      );
    case 'bad_link':
      return <MessagePage heading={LINK_HEADING} text={LINKS[place.problem]} isError onHome={goHome} />;
    case 'room': {
      const address = writePlace(place.room, place.fragment);
      // Handed over once: a page that comes back to this address makes its own keys.
      const takeKeys = (): NewRoom['keys'] | null => {
        const keys = made.current?.room === place.room ? made.current.keys : null;
        made.current = null;
        return keys;
      };
      return (
        <Meeting
          key={address}
          parts={parts}
          room={place.room}
          fragment={place.fragment}
          takeKeys={takeKeys}
          onHome={goHome}
        />
      );
    }
  }
}
