// How an occurrence is named and dressed in every view.
import type { Occurrence } from "./api";
import { whenText } from "./dates";
import { partstat } from "./words";

function marks(o: Occurrence): string[] {
  const parts = [];
  if (o.status === "CANCELLED") parts.push("cancelled");
  if (o.status === "TENTATIVE") parts.push("not certain yet");
  if (o.partstat) parts.push("you: " + partstat(o.partstat).text);
  if (o.recurring) parts.push("repeats");
  return parts;
}

/** Everything in one line, for the tooltip of a box that has little room. */
export function occurrenceLabel(o: Occurrence): string {
  return [o.summary || "No title", whenText(o.start, o.end, o.allDay), o.location, ...marks(o)].filter(Boolean).join(", ");
}

/** What only the place and the look of a box tell, for those who do not see them. */
export function unseen(o: Occurrence): string {
  return [whenText(o.start, o.end, o.allDay), ...marks(o)].join(", ");
}

export function occurrenceClass(o: Occurrence): string {
  let c = "occurrence";
  if (o.status === "CANCELLED" || o.partstat === "DECLINED") c += " off";
  else if (o.partstat === "NEEDS-ACTION") c += " open";
  else if (o.status === "TENTATIVE" || o.partstat === "TENTATIVE") c += " maybe";
  return c;
}
