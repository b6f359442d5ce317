import { Field } from "./parts";
import { count, t } from "./text";

// Minutes before the start; of a day without hours, before its first minute.
const timed = [0, 5, 10, 15, 30, 60, 120, 1440, 2880, 10080];
const whole = [-540, 900, 2340, 9540]; // at 09:00 of the day, of the day before, two days before, a week before

/** When a reminder rings, in words. */
export function reminderText(minutes: number, allDay: boolean): string {
  if (allDay && (minutes + 540) % 1440 === 0) {
    const days = (minutes + 540) / 1440;
    return days === 0 ? t("on the day at 09:00") : days === 1 ? t("the day before at 09:00") : t("{days} before at 09:00", { days: count(days, "{n} day", "{n} days") });
  }
  if (minutes === 0) return t("when it begins");
  const n = Math.abs(minutes);
  const span = n % 10080 === 0 ? count(n / 10080, "{n} week", "{n} weeks") : n % 1440 === 0 ? count(n / 1440, "{n} day", "{n} days") : n % 60 === 0 ? count(n / 60, "{n} hour", "{n} hours") : count(n, "{n} minute", "{n} minutes");
  return minutes > 0 ? t("{span} before", { span }) : t("{span} after the start", { span });
}

/** The reminders of an event: one can be added, each taken away. */
export function Reminders(p: { alarms: number[]; allDay: boolean; disabled?: boolean; onChange: (alarms: number[]) => void }) {
  const choices = (p.allDay ? whole : timed).filter((m) => !p.alarms.includes(m));
  return (
    <div class="reminders">
      <Field label={t("Reminder")}>
        <select name="reminder" value="" disabled={p.disabled} onChange={(e) => { if (e.currentTarget.value !== "") p.onChange([...p.alarms, Number(e.currentTarget.value)].sort((a, b) => b - a)); e.currentTarget.value = ""; }}>
          <option value="">{p.alarms.length === 0 ? t("None") : t("Another…")}</option>
          {choices.map((m) => <option value={m}>{reminderText(m, p.allDay)}</option>)}
        </select>
      </Field>
      {p.alarms.length > 0 && (
        <ul class="chips" aria-label={t("Reminders")}>
          {p.alarms.map((m) => (
            <li key={m} class="chip">
              {reminderText(m, p.allDay)}
              <button type="button" class="icon quiet" disabled={p.disabled} aria-label={t("Remove the reminder {when}", { when: reminderText(m, p.allDay) })} onClick={() => p.onChange(p.alarms.filter((x) => x !== m))}>✕</button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
