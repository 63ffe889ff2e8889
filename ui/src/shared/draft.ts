/** What is typed over a text that the server keeps, and that others may change meanwhile. */

import { useEffect, useState } from "react";

export interface Draft {
  text: string;
  setText: (text: string) => void;
  /** Others have changed what the server keeps since this text began. */
  isChangedElsewhere: boolean;
  /** Takes what the server keeps, and lets go what was typed. */
  take: () => void;
  /** Says that a text was saved: the server will tell it, and that is no news. */
  saved: (text: string) => void;
}

export function useDraft(kept: string): Draft {
  const [began, setBegan] = useState(kept);
  const [text, setText] = useState(kept);
  const [own, setOwn] = useState<string | null>(null);
  // Where nothing was typed, nothing is lost.
  const isUntouched = text === began && own === null;
  const isNews = kept !== began && kept !== own && kept !== text;
  useEffect(() => {
    if (kept === began || (isNews && !isUntouched)) return;
    if (isUntouched) setText(kept);
    setBegan(kept);
    setOwn(null);
  }, [kept, began, isNews, isUntouched]);
  const take = () => {
    setText(kept);
    setBegan(kept);
    setOwn(null);
  };
  return { text, setText, isChangedElsewhere: isNews && !isUntouched, take, saved: setOwn };
}
