// How an occurrence is named and dressed in every view.
import type { Occurrence } from "./api";
import { whenText } from "./dates";
import { partstat } from "./words";

export function occurrenceLabel(o: Occurrence): string {
  const parts = [o.summary || "No title", whenText(o.start, o.end, o.allDay)];
  if (o.location) parts.push(o.location);
  if (o.status === "CANCELLED") parts.push("cancelled");
  if (o.status === "TENTATIVE") parts.push("not certain yet");
  if (o.partstat) parts.push("you: " + partstat(o.partstat).text);
  if (o.recurring) parts.push("repeats");
  return parts.join(", ");
}

export function occurrenceClass(o: Occurrence): string {
  let c = "occurrence";
  if (o.status === "CANCELLED" || o.partstat === "DECLINED") c += " off";
  else if (o.partstat === "NEEDS-ACTION") c += " open";
  else if (o.status === "TENTATIVE" || o.partstat === "TENTATIVE") c += " maybe";
  return c;
}
