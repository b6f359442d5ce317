import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { Occurrence } from "./api";
import type { ViewProps } from "./calendar";
import { addDays, addMinutes, clock, clockRange, dateOf, dayNumber, hourLabel, longDay, minutesBetween, minutesOf, monthAndYear, nowIn, wallAt, weekdayLong, weekdayShort, whenText, type Day, type Wall } from "./dates";
import { bars, boxes, spansDays } from "./lanes";
import type { Move } from "./move";
import { occurrenceClass, occurrenceLabel, unseen } from "./occurrence";
import { go, useApp } from "./state";
import { t } from "./text";

const half = 30; // minutes a slot holds
const quarter = 15; // minutes an event moves by

/** An event that is being moved, by the pointer or with the keys. */
interface Moving extends Move {
  keys: boolean;
}

const idOf = (o: Occurrence) => `${o.owner}/${o.calendar}/${o.name}/${o.id}`;

/** Days side by side with their hours; one slot at a time can have the focus, arrows move it. */
export function TimeGrid(p: ViewProps & { first: Day; days: number; move: (m: Move) => void }) {
  const app = useApp();
  const days = Array.from({ length: p.days }, (_, i) => addDays(p.first, i));
  const [now, setNow] = useState(() => nowIn(app.zone));
  const [cursor, setCursor] = useState({ day: 0, slot: 18 });
  const [drag, setDrag] = useState<{ day: number; from: number; to: number } | null>(null);
  const [moving, setMoving] = useState<Moving | null>(null);
  const carried = useRef(""); // the event that is moved with the keys
  const dragged = useRef(false); // the click that ends a drag opens nothing
  const grid = useRef<HTMLDivElement>(null);
  const moved = useRef(false);

  useEffect(() => {
    const t = setInterval(() => setNow(nowIn(app.zone)), 60_000);
    return () => clearInterval(t);
  }, [app.zone]);
  useEffect(() => {
    const g = grid.current!;
    const hour = g.querySelector<HTMLElement>(".hours")!.offsetHeight / 24;
    const head = g.querySelector<HTMLElement>(".heads")!.offsetHeight;
    g.scrollTop = 7.5 * hour - head / 4;
  }, []);
  useEffect(() => {
    const i = days.indexOf(dateOf(now));
    setCursor((c) => ({ ...c, day: i >= 0 ? i : Math.min(c.day, p.days - 1) }));
  }, [p.first, p.days]);
  useLayoutEffect(() => {
    if (moved.current) grid.current?.querySelector<HTMLElement>(`[data-slot="${cursor.day}.${cursor.slot}"]`)?.focus();
    moved.current = false;
  }, [cursor]);
  useEffect(() => {
    const up = () => setDrag(null);
    addEventListener("pointerup", up);
    return () => removeEventListener("pointerup", up);
  }, []);

  const createAt = (day: number, from: number, to: number) => {
    const [a, b] = from <= to ? [from, to] : [to, from];
    const start = wallAt(days[day]!, a * half);
    p.create(start, wallAt(days[day]!, a === b ? a * half + 60 : (b + 1) * half), false);
  };
  const onKeyDown = (e: KeyboardEvent) => {
    const by = ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1], PageUp: [0, -8], PageDown: [0, 8] } as Record<string, [number, number]>)[e.key];
    if (!by) return;
    e.preventDefault();
    const day = cursor.day + by[0];
    if (day < 0 || day >= p.days) {
      moved.current = true;
      setCursor({ day: day < 0 ? p.days - 1 : 0, slot: cursor.slot });
      go(`/calendar/${p.days === 1 ? "day" : "week"}/${addDays(p.first, day < 0 ? -p.days : p.days)}`);
      return;
    }
    moved.current = true;
    setCursor({ day, slot: Math.max(0, Math.min(47, cursor.slot + by[1])) });
  };

  // Moving by pointer: the box follows, by quarters of an hour and whole days.
  const grab = (e: PointerEvent, o: Occurrence) => {
    if (e.button !== 0 || e.pointerType === "touch" || !o.movable) return;
    const resize = (e.target as Element).classList.contains("grip");
    const column = (e.currentTarget as HTMLElement).parentElement!;
    const width = column.offsetWidth, minute = column.offsetHeight / 1440;
    const x0 = e.clientX, y0 = e.clientY + grid.current!.scrollTop;
    const first = p.first, last = addDays(p.first, p.days - 1);
    let now: Moving | null = null;
    const track = (m: PointerEvent) => {
      const dx = m.clientX - x0, dy = m.clientY + grid.current!.scrollTop - y0;
      if (!now && Math.abs(dx) + Math.abs(dy) < 5) return;
      const days = resize ? 0 : Math.round(dx / width);
      const by = Math.round(dy / minute / quarter) * quarter;
      now = { o, keys: false, ...shifted(o, days, by, resize) };
      if (dateOf(now.start) < first || dateOf(now.start) > last) now = { ...now, start: o.start, end: o.end };
      dragged.current = true;
      setMoving(now);
    };
    const stop = (m: Event) => {
      removeEventListener("pointermove", track);
      removeEventListener("pointerup", stop);
      removeEventListener("pointercancel", stop);
      removeEventListener("keydown", escape, true);
      setMoving(null);
      if (m.type === "pointerup" && now) finish(now);
      setTimeout(() => { dragged.current = false; });
    };
    const escape = (k: KeyboardEvent) => {
      if (k.key !== "Escape") return;
      k.stopPropagation();
      stop(k);
    };
    addEventListener("pointermove", track);
    addEventListener("pointerup", stop);
    addEventListener("pointercancel", stop);
    addEventListener("keydown", escape, true);
  };
  const finish = (m: Move) => {
    if (m.start !== m.o.start || m.end !== m.o.end) p.move({ o: m.o, start: m.start, end: m.end });
  };
  // And with the keys: M takes an event up, arrows move it, with Shift its end; Enter puts it down.
  const carry = (e: KeyboardEvent, o: Occurrence) => {
    if (!o.movable || e.ctrlKey || e.metaKey || e.altKey) return;
    const held = moving?.keys && idOf(moving.o) === idOf(o) ? moving : null;
    if (!held) {
      if (e.key !== "m") return;
      e.preventDefault();
      e.stopPropagation();
      carried.current = idOf(o);
      setMoving({ o, start: o.start, end: o.end, keys: true });
      return;
    }
    e.stopPropagation();
    const by = ({ ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -quarter], ArrowDown: [0, quarter] } as Record<string, [number, number]>)[e.key];
    if (by) {
      e.preventDefault();
      const next = shifted({ ...o, start: held.start, end: held.end }, e.shiftKey ? 0 : by[0], by[1], e.shiftKey);
      if (dateOf(next.start) >= p.first && dateOf(next.start) < addDays(p.first, p.days)) setMoving({ ...held, ...next });
    } else if (e.key === "Enter" || e.key === " ") {
      e.preventDefault();
      setMoving(null);
      finish(held);
    } else if (e.key === "Escape" || e.key === "Tab") {
      if (e.key === "Tab") carried.current = "";
      setMoving(null);
    }
  };
  // The box of an event that changes its day is another element: the focus goes along.
  useLayoutEffect(() => {
    if (carried.current) grid.current?.querySelector<HTMLElement>(`[data-id="${CSS.escape(carried.current)}"]`)?.focus();
    if (!moving) carried.current = "";
  }, [moving && dateOf(moving.start)]);

  const whole = p.occurrences.filter(spansDays);
  const timed = p.occurrences.filter((o) => !spansDays(o)).map((o) => (moving && idOf(moving.o) === idOf(o) ? { ...o, start: moving.start, end: moving.end } : o));
  const row = bars(whole, p.first, p.days);
  const laneCount = Math.max(0, ...row.map((b) => b.lane + 1));
  const today = dateOf(now);

  return (
    <>
    <p class="sr" role="status">{moving?.keys ? t("Moving {title}: {when}. Arrows move it, Shift and arrows its end, Enter saves, Escape leaves it.", { title: moving.o.summary || t("No title"), when: whenText(moving.start, moving.end, false) }) : ""}</p>
    {moving?.keys && <p class="hint carrying" aria-hidden="true">{whenText(moving.start, moving.end, false)}. {t("Arrows move it, Shift and arrows its end, Enter saves, Escape leaves it.")}</p>}
    <div class={"timegrid" + (p.days === 1 ? " single" : "")} ref={grid} style={{ "--days": p.days }} role="group" aria-label={p.days === 1 ? t("Day") : t("Week")}>
      <div class="heads">
        <div class="corner" />
        {days.map((d) => (
          <button type="button" class={"head" + (d === today ? " today" : "")} onClick={() => go(`/calendar/day/${d}`)} aria-current={d === today ? "date" : undefined}>
            <span>{p.days === 1 ? weekdayLong(d) : weekdayShort(d)}</span> <b>{dayNumber(d)}</b><span class="sr"> {monthAndYear(d)}</span>
          </button>
        ))}
        <div class="corner allday" style={{ gridRow: "2" }}>{t("all day")}</div>
        {days.map((d, i) => (
          <div class="allday" style={{ gridColumn: String(i + 2), gridRow: `2 / span ${laneCount + 1}` }} onClick={() => p.create(d, addDays(d, 1), true)} />
        ))}
        {row.map((b) => (
          <button
            type="button"
            class={occurrenceClass(b.occurrence) + " bar whole" + (b.before ? " from" : "") + (b.after ? " to" : "")}
            style={{ "--c": p.color(b.occurrence), gridColumn: `${b.from + 2} / ${b.to + 3}`, gridRow: String(b.lane + 2) }}
            title={occurrenceLabel(b.occurrence)}
            onClick={() => p.open(b.occurrence)}
          >
            <span class="what" dir="auto">{b.occurrence.summary || t("No title")}</span>
            <span class="sr">, {unseen(b.occurrence)}</span>
          </button>
        ))}
      </div>
      <div class="hours">
        <div class="labels" aria-hidden="true">
          {Array.from({ length: 23 }, (_, h) => <span style={{ top: `${((h + 1) / 24) * 100}%` }}>{hourLabel(h + 1)}</span>)}
        </div>
        {days.map((d, i) => (
          <div class={"column" + (d === today ? " today" : "")} role="group" aria-label={longDay(d)}>
            {Array.from({ length: 48 }, (_, s) => {
              const picked = drag && drag.day === i && s >= Math.min(drag.from, drag.to) && s <= Math.max(drag.from, drag.to);
              return (
                <button
                  type="button"
                  class={"slot" + (picked ? " picked" : "")}
                  data-slot={`${i}.${s}`}
                  tabIndex={cursor.day === i && cursor.slot === s ? 0 : -1}
                  aria-label={t("New event {when}", { when: `${longDay(d)}, ${clock(wallAt(d, s * half))}` })}
                  onKeyDown={onKeyDown}
                  onFocus={() => setCursor({ day: i, slot: s })}
                  onPointerDown={(e) => {
                    if (e.button !== 0 || e.pointerType === "touch") return;
                    (e.target as Element).releasePointerCapture?.(e.pointerId);
                    setDrag({ day: i, from: s, to: s });
                  }}
                  onPointerEnter={() => drag && drag.day === i && setDrag({ ...drag, to: s })}
                  onPointerUp={() => {
                    if (drag && drag.day === i && drag.from !== s) createAt(i, drag.from, s);
                  }}
                  onClick={() => createAt(i, s, s)}
                />
              );
            })}
            {boxes(timed, d).map((b) => (
              <button
                type="button"
                data-id={idOf(b.occurrence)}
                class={occurrenceClass(b.occurrence) + " box" + (b.bottom - b.top <= 45 ? " short" : "") + (b.occurrence.movable ? " movable" : "") + (moving && idOf(moving.o) === idOf(b.occurrence) ? " moving" : "")}
                aria-keyshortcuts={b.occurrence.movable ? "m" : undefined}
                onPointerDown={(e) => { const o = timedOf(p.occurrences, b.occurrence); if (o) grab(e, o); }}
                onKeyDown={(e) => { const o = timedOf(p.occurrences, b.occurrence); if (o) carry(e, o); }}
                onBlur={() => { if (moving?.keys && idOf(moving.o) === idOf(b.occurrence)) setTimeout(() => { if (!document.activeElement?.classList.contains("moving")) { carried.current = ""; setMoving(null); } }); }}
                style={{
                  "--c": p.color(b.occurrence),
                  top: `${(b.top / 1440) * 100}%`,
                  height: `${((b.bottom - b.top) / 1440) * 100}%`,
                  left: `${(b.column / b.columns) * 100}%`,
                  width: `${100 / b.columns}%`,
                }}
                title={occurrenceLabel(b.occurrence)}
                onClick={() => !dragged.current && !moving && p.open(b.occurrence)}
              >
                <span class="what" dir="auto">{b.occurrence.summary || t("No title")}</span>
                <span class="time">{clockRange(b.occurrence.start, b.occurrence.end)}</span>
                {b.occurrence.location && <span class="where" dir="auto">{b.occurrence.location}</span>}
                <span class="sr">, {unseen(b.occurrence)}</span>
                {b.occurrence.movable && dateOf(b.occurrence.end) === d && <span class="grip" aria-hidden="true" />}
              </button>
            ))}
            {d === today && <div class="now" style={{ top: `${(minutesOf(now) / 1440) * 100}%` }} aria-hidden="true" />}
          </div>
        ))}
      </div>
    </div>
    </>
  );
}

const timedOf = (list: Occurrence[], o: Occurrence) => list.find((x) => idOf(x) === idOf(o));

/** Times moved by days and minutes, or with the start left where it is. */
function shifted(o: Occurrence, days: number, minutes: number, resize: boolean): { start: Wall; end: Wall } {
  const by = days * 1440 + minutes;
  if (!resize) return { start: addMinutes(o.start, by), end: addMinutes(o.end, by) };
  const length = Math.max(quarter, minutesBetween(o.start, o.end) + by);
  return { start: o.start, end: addMinutes(o.start, length) };
}
