import { addDays, weekdayLong, weekdayShort, type Day } from "./dates";
import { Field } from "./parts";
import { monthlyChoices, parse, rule, simple, weekdays, type Freq, type Simple } from "./rrule";
import { mark, t } from "./text";

const units: Record<Freq, [string, string]> = {
  DAILY: [mark("day"), mark("days")],
  WEEKLY: [mark("week"), mark("weeks")],
  MONTHLY: [mark("month"), mark("months")],
  YEARLY: [mark("year"), mark("years")],
};

const sunday = "2023-01-01";
const named = weekdays.map((code, i) => ({ code, short: weekdayShort(addDays(sunday, i)), long: weekdayLong(addDays(sunday, i)) }));
const mondayFirst = [...named.slice(1), named[0]!];

/** Whether and how the event repeats. `text` is the stored rule in words, for a rule this form cannot say. */
export function Repeats(p: { rrule: string; start: Day; stored: string; text: string; onChange: (rrule: string) => void }) {
  const s = p.rrule ? parse(p.rrule, p.start) : null;
  const kept = p.rrule !== "" && s === null;
  const choice = p.rrule === "" ? "" : s ? s.freq : "kept";
  const set = (change: Partial<Simple>) => p.onChange(rule({ ...s!, ...change }, p.start));
  return (
    <fieldset class="repeats">
      <legend class="sr">{t("Repeats")}</legend>
      <div class="row">
        <Field label={t("Repeats")}>
          <select
            value={choice}
            onChange={(e) => {
              const v = e.currentTarget.value;
              p.onChange(v === "" ? "" : v === "kept" ? p.stored : rule(simple(p.start, v as Freq), p.start));
            }}
          >
            <option value="">{t("Does not repeat")}</option>
            <option value="DAILY">{t("Daily")}</option>
            <option value="WEEKLY">{t("Weekly")}</option>
            <option value="MONTHLY">{t("Monthly")}</option>
            <option value="YEARLY">{t("Yearly")}</option>
            {(kept || (p.stored !== "" && parse(p.stored, p.start) === null)) && <option value="kept">As it is: {p.text || p.stored}</option>}
          </select>
        </Field>
        {s && (
          <Field label={t("Every … {unit}", { unit: t(units[s.freq][1]) })}>
            <input type="number" min={1} max={999} value={s.interval} onChange={(e) => set({ interval: Math.max(1, Number(e.currentTarget.value) || 1) })} />
          </Field>
        )}
        {s?.freq === "MONTHLY" && (
          <Field label={t("Day")}>
            <select value={s.monthly} onChange={(e) => set({ monthly: e.currentTarget.value as Simple["monthly"] })}>
              {monthlyChoices(p.start, weekdayLong(p.start)).map(([v, text]) => <option value={v}>{text}</option>)}
            </select>
          </Field>
        )}
      </div>
      {kept && <p class="hint">{p.text ? t("Repeats {rule}.", { rule: p.text }) : p.rrule} {t("This rule says more than this form can; it is kept as it is.")}</p>}
      {s?.freq === "WEEKLY" && (
        <div class="weekdays" role="group" aria-label={t("On")}>
          {mondayFirst.map((d) => (
            <label title={d.long}>
              <input
                type="checkbox"
                checked={s.days.includes(d.code)}
                aria-label={d.long}
                onChange={(e) => {
                  const days = e.currentTarget.checked ? [...s.days, d.code] : s.days.filter((x) => x !== d.code);
                  if (days.length > 0) set({ days });
                  else e.currentTarget.checked = true;
                }}
              />
              <span aria-hidden="true">{d.short}</span>
            </label>
          ))}
        </div>
      )}
      {s && (
        <div class="row">
          <Field label={t("Ends")}>
            <select
              value={s.count ? "count" : s.until ? "until" : ""}
              onChange={(e) => {
                const v = e.currentTarget.value;
                set({ count: v === "count" ? 10 : 0, until: v === "until" ? addDays(p.start, 90) : "" });
              }}
            >
              <option value="">{t("Never")}</option>
              <option value="count">{t("After a number of times")}</option>
              <option value="until">{t("On a date")}</option>
            </select>
          </Field>
          {s.count > 0 && <Field label={t("Times")}><input type="number" min={1} max={9999} value={s.count} onChange={(e) => set({ count: Math.max(1, Number(e.currentTarget.value) || 1) })} /></Field>}
          {s.until && <Field label={t("Last day")}><input type="date" min={p.start} value={s.until} required onChange={(e) => e.currentTarget.value && set({ until: e.currentTarget.value })} /></Field>}
        </div>
      )}
    </fieldset>
  );
}
