import type { ComponentChildren } from "preact";
import { useEffect, useRef, useState } from "preact/hooks";
import { go } from "./state";
import type { Sending } from "./api";
import { address, count, type Word } from "./words";

/** A link within the application. */
export function Link(p: { to: string; class?: string; current?: boolean; label?: string; children: ComponentChildren }) {
  return (
    <a
      href={p.to}
      class={p.class}
      aria-current={p.current ? "page" : undefined}
      aria-label={p.label}
      onClick={(e) => {
        if (e.metaKey || e.ctrlKey || e.shiftKey || e.button !== 0) return;
        e.preventDefault();
        go(p.to);
      }}
    >
      {p.children}
    </a>
  );
}

/** A modal dialog: the browser keeps the focus inside and gives it back. */
export function Dialog(p: { title: string; wide?: boolean; onClose: () => void; children: ComponentChildren }) {
  const ref = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const d = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    d.showModal();
    return () => {
      d.close();
      before?.focus?.();
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={p.wide ? "wide" : undefined}
      aria-labelledby="dialog-title"
      onCancel={(e) => {
        e.preventDefault();
        p.onClose();
      }}
      onMouseDown={(e) => {
        if (e.target === ref.current) p.onClose();
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id="dialog-title" tabIndex={-1}>{p.title}</h2>
          <button type="button" class="icon" aria-label="Close" onClick={p.onClose}>✕</button>
        </header>
        {p.children}
      </div>
    </dialog>
  );
}

export function Chip({ word }: { word: Word }) {
  return <span class={"chip " + word.tone}>{word.text}</span>;
}

/** The sentence of a refusal, read out when it comes. */
export function Trouble({ error, children }: { error: string; children?: ComponentChildren }) {
  if (!error) return null;
  return (
    <div class="trouble" role="alert">
      <p>{error}</p>
      {children}
    </div>
  );
}

export function Field(p: { label: string; hint?: string; class?: string; children: ComponentChildren }) {
  return (
    <label class={"field " + (p.class ?? "")}>
      <span class="label">{p.label}</span>
      {p.children}
      {p.hint && <span class="hint">{p.hint}</span>}
    </label>
  );
}

/** Runs one thing at a time and keeps its refusal. */
export function useTask(): { busy: boolean; error: string; setError: (e: string) => void; condition: string; run: (f: () => Promise<void>) => Promise<void> } {
  const [busy, setBusy] = useState(false);
  const [error, setError] = useState("");
  const [condition, setCondition] = useState("");
  const run = async (f: () => Promise<void>) => {
    if (busy) return;
    setBusy(true);
    setError("");
    setCondition("");
    try {
      await f();
    } catch (e) {
      setError(e instanceof Error ? e.message : String(e));
      setCondition((e as { condition?: string }).condition ?? "");
    } finally {
      setBusy(false);
    }
  };
  return { busy, error, setError, condition, run };
}

const linkPattern = /\bhttps?:\/\/[^\s<>"']+[^\s<>"'.,;:!?)\]]/g;

/** Text with its web addresses as links. */
export function Linked({ text }: { text: string }) {
  const out: ComponentChildren[] = [];
  let at = 0;
  for (const m of text.matchAll(linkPattern)) {
    out.push(text.slice(at, m.index), <a href={m[0]} rel="noopener noreferrer" target="_blank">{m[0]}</a>);
    at = m.index + m[0].length;
  }
  out.push(text.slice(at));
  return <>{out}</>;
}

export function Copy({ text, label }: { text: string; label: string }) {
  const [done, setDone] = useState(false);
  return (
    <button
      type="button"
      class="small"
      aria-label={label}
      onClick={() => {
        navigator.clipboard?.writeText(text).then(() => setDone(true), () => setDone(false));
      }}
    >
      {done ? "Copied" : "Copy"}
    </button>
  );
}

/** What a change would send to whom, and who would hear nothing. */
export function Sendings({ list, heading }: { list: Sending[]; heading: string }) {
  const told = list.filter((s) => s.method !== "");
  const silent = list.filter((s) => s.method === "");
  return (
    <>
      {told.length > 0 && (
        <>
          <h3>{heading}</h3>
          <ul>
            {told.map((s) => (
              <li>
                <b>{s.name || address(s.to)}</b> {s.sentence}
                {s.changes.length > 0 && <div class="hint">{s.changes.join("; ")}</div>}
              </li>
            ))}
          </ul>
        </>
      )}
      {silent.length > 0 && (
        <details>
          <summary>{count(silent.length, "person gets", "people get")} nothing</summary>
          <ul>{silent.map((s) => <li><b>{s.name || address(s.to)}</b> {s.sentence}</li>)}</ul>
        </details>
      )}
    </>
  );
}
