import type { ComponentChildren } from "preact";
import { useEffect, useId, useLayoutEffect, useRef, useState } from "preact/hooks";
import { go } from "./state";
import { api, type Person, type Security, type Sending } from "./api";
import { count, t } from "./text";
import { address, securitySign, type Word } from "./words";

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
  const id = useId();
  useLayoutEffect(() => { // before anything can be typed: opening moves the focus
    const d = ref.current!;
    const before = document.activeElement as HTMLElement | null;
    d.showModal();
    return () => {
      d.close();
      if (before?.isConnected) before.focus();
      else document.getElementById("main")?.focus(); // what was focused has gone, or moved
    };
  }, []);
  return (
    <dialog
      ref={ref}
      class={p.wide ? "wide" : undefined}
      aria-labelledby={id}
      onCancel={(e) => {
        e.preventDefault();
        e.stopPropagation();
        p.onClose();
      }}
      onMouseDown={(e) => {
        if (e.target === ref.current) p.onClose();
      }}
    >
      <div class="dialog-body">
        <header class="dialog-head">
          <h2 id={id} tabIndex={-1} dir="auto">{p.title}</h2>
          <button type="button" class="icon" aria-label={t("Close")} onClick={p.onClose}>✕</button>
        </header>
        {p.children}
      </div>
    </dialog>
  );
}

export function Chip({ word }: { word: Word }) {
  return <span class={"chip " + word.tone}>{word.text}</span>;
}

const shapes: Record<string, string> = {
  lock: "M4 7V5a4 4 0 0 1 8 0v2h1v7H3V7zm2 0h4V5a2 2 0 0 0-4 0z",
  unsigned: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM7 4h2v2H7zm0 3h2v5H7z",
  warning: "M8 1 15.5 15H.5zM7 6v4.5h2V6zm0 5.5v2h2v-2z",
  question: "M8 1.5a6.5 6.5 0 1 0 0 13 6.5 6.5 0 0 0 0-13zM7 10.8h2v2H7zM5 6a3 3 0 1 1 4 2.8v1H7V7.500h1A1 1 0 1 0 7 6z",
};

/** Who sent a message and how that is known: a lock, a warning or an open question, with the reason. */
export function SecuritySign({ s }: { s: Security | null }) {
  if (!s) return null;
  const w = securitySign(s.sign);
  return (
    <p class={"security " + w.tone}>
      <svg viewBox="0 0 16 16" width="16" height="16" aria-hidden="true"><path fill-rule="evenodd" d={shapes[s.sign] ?? shapes.question} /></svg>
      <span><b>{s.by && s.sign === "lock" ? t("{sign}: {by}", { sign: w.text, by: s.by }) : w.text}</b> <span class="hint">{s.sentence}</span></span>
    </p>
  );
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

/** A field for a person or group of the directory, or an address typed. */
export function PersonField(p: { label: string; hint?: string; value: string; onChange: (who: string) => void }) {
  const id = useId();
  const [found, setFound] = useState<Person[]>([]);
  useEffect(() => {
    const text = p.value.trim();
    if (text === "" || text.includes("@")) return setFound([]);
    const stop = new AbortController();
    const wait = setTimeout(() => void api.directory(text, stop.signal).then(setFound, () => undefined), 120); // the whole address always works
    return () => { clearTimeout(wait); stop.abort(); };
  }, [p.value]);
  return (
    <Field label={p.label} hint={p.hint} class="grow">
      <input value={p.value} list={id} required maxLength={300} autoComplete="off" autoCapitalize="none" placeholder={t("Name or mail address")} onInput={(e) => p.onChange(e.currentTarget.value)} />
      <datalist id={id}>{found.map((x) => <option value={address(x.address)}>{x.name}</option>)}</datalist>
    </Field>
  );
}

export interface Task {
  busy: boolean;
  error: string;
  setError: (e: string) => void;
  condition: string;
  run: (f: () => Promise<void>) => Promise<void>;
}

/** Runs one thing at a time and keeps its refusal. */
export function useTask(): Task {
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

export function Copy({ text, label, shown }: { text: string; label: string; shown?: string }) {
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
      {done ? t("Copied") : shown ?? t("Copy")}
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
          <summary>{count(silent.length, "{n} person gets nothing", "{n} people get nothing")}</summary>
          <ul>{silent.map((s) => <li><b>{s.name || address(s.to)}</b> {s.sentence}</li>)}</ul>
        </details>
      )}
    </>
  );
}
