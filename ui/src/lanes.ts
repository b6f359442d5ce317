// Where occurrences go in the views: bars over days, boxes within a day.
import { addDays, dateOf, daysBetween, minutesBetween, minutesOf, type Day } from "./dates";
import type { Occurrence } from "./api";

/** The days [first, last] an occurrence touches. */
export function daysOf(o: Occurrence): [Day, Day] {
  const first = dateOf(o.start);
  let last = dateOf(o.end);
  if (last > first && (o.allDay || minutesOf(o.end) === 0)) last = addDays(last, -1); // ends are exclusive
  return [first, last < first ? first : last];
}

/** Shown as a bar over days: all-day, and what lasts a day or more. */
export function spansDays(o: Occurrence): boolean {
  return o.allDay || minutesBetween(o.start, o.end) >= 1440;
}

export interface Bar {
  occurrence: Occurrence;
  lane: number;
  from: number; // index of the first and last day within the row
  to: number;
  before: boolean; // goes on before and after the row
  after: boolean;
}

/** Bars for the row of n days from first on: each keeps one lane throughout. */
export function bars(occurrences: Occurrence[], first: Day, n: number): Bar[] {
  const last = addDays(first, n - 1);
  const out: Bar[] = [];
  for (const o of occurrences) {
    const [a, b] = daysOf(o);
    if (b < first || a > last) continue;
    out.push({
      occurrence: o,
      lane: 0,
      from: Math.max(0, daysBetween(first, a)),
      to: Math.min(n - 1, daysBetween(first, b)),
      before: a < first,
      after: b > last,
    });
  }
  out.sort((x, y) =>
    x.from - y.from || y.to - x.to || Number(spansDays(y.occurrence)) - Number(spansDays(x.occurrence)) ||
    x.occurrence.start.localeCompare(y.occurrence.start) || x.occurrence.summary.localeCompare(y.occurrence.summary));
  const taken: number[][] = []; // by lane: the last day taken
  for (const bar of out) {
    let lane = 0;
    while (taken[lane]?.some((d) => d >= bar.from && d <= bar.to)) lane++;
    bar.lane = lane;
    const days = (taken[lane] ??= []);
    for (let d = bar.from; d <= bar.to; d++) days.push(d);
  }
  return out;
}

export interface Box {
  occurrence: Occurrence;
  top: number; // minutes of the day
  bottom: number;
  column: number;
  columns: number;
}

const shortest = 24; // minutes of height that a box needs for its title

/** Boxes of one day; those that overlap share the width. */
export function boxes(occurrences: Occurrence[], day: Day): Box[] {
  const out: Box[] = [];
  for (const o of occurrences) {
    const [a, b] = daysOf(o);
    if (day < a || day > b) continue;
    const top = dateOf(o.start) < day ? 0 : minutesOf(o.start);
    const end = dateOf(o.end) > day ? 1440 : minutesOf(o.end);
    out.push({ occurrence: o, top: Math.min(top, 1440 - shortest), bottom: Math.max(end, Math.min(top, 1440 - shortest) + shortest), column: 0, columns: 1 });
  }
  out.sort((x, y) => x.top - y.top || y.bottom - x.bottom);
  let group: Box[] = [];
  let reach = -1;
  const close = () => {
    const n = Math.max(0, ...group.map((g) => g.column)) + 1;
    for (const g of group) g.columns = n;
    group = [];
  };
  for (const box of out) {
    if (box.top >= reach) close();
    let column = 0;
    while (group.some((g) => g.column === column && g.bottom > box.top)) column++;
    box.column = column;
    group.push(box);
    reach = Math.max(group.length === 1 ? 0 : reach, box.bottom);
  }
  close();
  return out;
}
