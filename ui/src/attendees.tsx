import { useEffect, useRef, useState } from "preact/hooks";
import { api, type Attendee, type Person } from "./api";
import { useApp } from "./state";
import { address, partstat } from "./words";
import { count, t, t as say } from "./text";

const looksLikeAddress = (t: string) => /^(mailto:)?[^\s@<>]+@[^\s@<>]+$/i.test(t.trim());

/** The guest list, with type-ahead over the directory (an ARIA combobox). */
export function Attendees(p: { list: Attendee[]; organizer: string; onChange: (list: Attendee[]) => void }) {
  const app = useApp();
  const [text, setText] = useState("");
  const [found, setFound] = useState<Person[]>([]);
  const [at, setAt] = useState(-1);
  const [hint, setHint] = useState("");
  const input = useRef<HTMLInputElement>(null);
  const key = (a: string) => address(a).toLowerCase();
  const mine = new Set([...app.me.addresses, p.organizer].filter(Boolean).map(key));
  const taken = new Set(p.list.map((a) => key(a.address)));
  const guests = p.list.filter((a) => !mine.has(key(a.address)));

  useEffect(() => {
    if (text.trim().length === 0) {
      setFound([]);
      return;
    }
    const stop = new AbortController();
    const t = setTimeout(() => {
      api.directory(text.trim(), stop.signal).then(
        (people) => {
          const fresh = people.filter((x) => !taken.has(key(x.address)) && !mine.has(key(x.address)));
          setFound(fresh);
          setAt(-1);
        },
        () => undefined, // typing the whole address always works
      );
    }, 120);
    return () => { clearTimeout(t); stop.abort(); };
  }, [text]);

  const add = (person: Person) => {
    setText("");
    setFound([]);
    setHint("");
    if (!taken.has(key(person.address)) && !mine.has(key(person.address))) {
      p.onChange([...p.list, { address: person.address, name: person.name, role: "REQ-PARTICIPANT", kind: person.kind, partstat: "NEEDS-ACTION", status: "", comment: "" }]);
    }
    input.current?.focus();
  };
  const addTyped = () => {
    const t = text.trim().replace(/[,;]$/, "");
    if (t === "") return;
    const exact = found.find((x) => key(x.address) === key(t));
    if (exact) add(exact);
    else if (looksLikeAddress(t)) add({ address: /^mailto:/i.test(t) ? t : "mailto:" + t, name: "", kind: "" });
    else if (found.length === 1) add(found[0]!);
    else setHint(say("“{text}” is not a mail address.", { text: t }));
  };

  return (
    <div class="attendees">
      <div class="field">
        <label class="label" htmlFor="attendee">{t("Attendees")}</label>
        <div class="combo">
          <input
            id="attendee"
            ref={input}
            value={text}
            role="combobox"
            autoComplete="off"
            aria-autocomplete="list"
            aria-expanded={found.length > 0}
            aria-controls="attendee-list"
            aria-activedescendant={at >= 0 ? "person" + at : undefined}
            aria-describedby="attendee-hint"
            placeholder={t("Name or mail address")}
            onInput={(e) => setText(e.currentTarget.value)}
            onBlur={() => { if (looksLikeAddress(text)) addTyped(); }}
            onKeyDown={(e) => {
              if (e.key === "ArrowDown" || e.key === "ArrowUp") {
                if (found.length === 0) return;
                e.preventDefault();
                setAt((at + (e.key === "ArrowDown" ? 1 : -1 + (at < 0 ? 1 : 0)) + found.length) % found.length);
              } else if (e.key === "Enter") {
                e.preventDefault(); // the form is not done yet
                if (at >= 0 && found[at]) add(found[at]!);
                else addTyped();
              } else if (e.key === "," || e.key === ";") {
                e.preventDefault();
                addTyped();
              } else if (e.key === "Escape" && found.length > 0) {
                e.preventDefault();
                e.stopPropagation();
                setFound([]);
              } else if (e.key === "Backspace" && text === "" && guests.length > 0) {
                const last = guests[guests.length - 1]!;
                p.onChange(p.list.filter((a) => a !== last));
              }
            }}
          />
          <ul id="attendee-list" role="listbox" aria-label={t("People found")} hidden={found.length === 0}>
            {found.map((x, i) => (
              <li
                id={"person" + i}
                role="option"
                aria-selected={i === at}
                onMouseDown={(e) => { e.preventDefault(); add(x); }}
              >
                {x.name || address(x.address)} <span class="hint">{address(x.address)}{x.kind && x.kind !== "individual" ? `, ${x.kind}` : ""}</span>
              </li>
            ))}
          </ul>
        </div>
        <span id="attendee-hint" class="hint" role="status">{hint || (found.length > 0 ? count(found.length, "{n} found, choose with the arrow keys", "{n} found, choose with the arrow keys") : "")}</span>
      </div>
      {guests.length > 0 && (
        <ul class={"guests" + (guests.length > 12 ? " scrolls" : "")} aria-label={t("Invited")} tabIndex={guests.length > 12 ? 0 : undefined}>
          {guests.map((a) => (
            <li>
              <span class={"sign " + partstat(a.partstat).tone} title={partstat(a.partstat).text} aria-hidden="true">{partstat(a.partstat).sign}</span>
              <span class="person">{a.name || address(a.address)}{a.name && <span class="hint"> {address(a.address)}</span>}<span class="sr">, {partstat(a.partstat).text}</span></span>
              <label class="optional">
                <input
                  type="checkbox"
                  checked={a.role === "OPT-PARTICIPANT"}
                  onChange={(e) => p.onChange(p.list.map((x) => (x === a ? { ...x, role: e.currentTarget.checked ? "OPT-PARTICIPANT" : "REQ-PARTICIPANT" } : x)))}
                />
                optional
              </label>
              <button type="button" class="icon quiet" aria-label={t("Remove {name}", { name: a.name || address(a.address) })} onClick={() => p.onChange(p.list.filter((x) => x !== a))}>✕</button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
