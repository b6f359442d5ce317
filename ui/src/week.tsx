import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import type { ViewProps } from "./calendar";
import { addDays, clock, clockRange, dateOf, dayNumber, hourLabel, longDay, minutesOf, monthAndYear, nowIn, wallAt, weekdayLong, weekdayShort, type Day } from "./dates";
import { bars, boxes, spansDays } from "./lanes";
import { occurrenceClass, occurrenceLabel, unseen } from "./occurrence";
import { go, useApp } from "./state";

const half = 30; // minutes a slot holds

/** Days side by side with their hours; one slot at a time can have the focus, arrows move it. */
export function TimeGrid(p: ViewProps & { first: Day; days: number }) {
  const app = useApp();
  const days = Array.from({ length: p.days }, (_, i) => addDays(p.first, i));
  const [now, setNow] = useState(() => nowIn(app.zone));
  const [cursor, setCursor] = useState({ day: 0, slot: 18 });
  const [drag, setDrag] = useState<{ day: number; from: number; to: number } | null>(null);
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

  const whole = p.occurrences.filter(spansDays);
  const timed = p.occurrences.filter((o) => !spansDays(o));
  const row = bars(whole, p.first, p.days);
  const laneCount = Math.max(0, ...row.map((b) => b.lane + 1));
  const today = dateOf(now);

  return (
    <div class={"timegrid" + (p.days === 1 ? " single" : "")} ref={grid} style={{ "--days": p.days }} role="group" aria-label={p.days === 1 ? "Day" : "Week"}>
      <div class="heads">
        <div class="corner" />
        {days.map((d) => (
          <button type="button" class={"head" + (d === today ? " today" : "")} onClick={() => go(`/calendar/day/${d}`)} aria-current={d === today ? "date" : undefined}>
            <span>{p.days === 1 ? weekdayLong(d) : weekdayShort(d)}</span> <b>{dayNumber(d)}</b><span class="sr"> {monthAndYear(d)}</span>
          </button>
        ))}
        <div class="corner allday" style={{ gridRow: "2" }}>all day</div>
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
            <span class="what">{b.occurrence.summary || "No title"}</span>
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
                  aria-label={`New event ${longDay(d)}, ${clock(wallAt(d, s * half))}`}
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
                class={occurrenceClass(b.occurrence) + " box" + (b.bottom - b.top <= 45 ? " short" : "")}
                style={{
                  "--c": p.color(b.occurrence),
                  top: `${(b.top / 1440) * 100}%`,
                  height: `${((b.bottom - b.top) / 1440) * 100}%`,
                  left: `${(b.column / b.columns) * 100}%`,
                  width: `${100 / b.columns}%`,
                }}
                    title={occurrenceLabel(b.occurrence)}
                onClick={() => p.open(b.occurrence)}
              >
                <span class="what">{b.occurrence.summary || "No title"}</span>
                <span class="time">{clockRange(b.occurrence.start, b.occurrence.end)}</span>
                {b.occurrence.location && <span class="where">{b.occurrence.location}</span>}
                <span class="sr">, {unseen(b.occurrence)}</span>
              </button>
            ))}
            {d === today && <div class="now" style={{ top: `${(minutesOf(now) / 1440) * 100}%` }} aria-hidden="true" />}
          </div>
        ))}
      </div>
    </div>
  );
}
