import { useState } from "preact/hooks";
import { api } from "./api";
import { Field, Trouble, useTask } from "./parts";
import { useApp } from "./state";
import { mark, t } from "./text";

const answers = [
  { partstat: "ACCEPTED", text: mark("Accept") },
  { partstat: "TENTATIVE", text: mark("Maybe") },
  { partstat: "DECLINED", text: mark("Decline") },
];

/** The three answers and a comment for the organizer. */
export function Respond(p: { owner: string; uid: string; occurrence: string; partstat: string; what: string; onDone?: () => void }) {
  const app = useApp();
  const task = useTask();
  const [comment, setComment] = useState("");
  const [open, setOpen] = useState(false);
  const answer = (partstat: string, text: string) =>
    task.run(async () => {
      await api.respond({ owner: p.owner, uid: p.uid, occurrence: p.occurrence, partstat, comment });
      app.say(t("{what}: your answer “{answer}” is on its way to the organizer.", { what: p.what, answer: text }));
      setComment("");
      setOpen(false);
      app.refresh();
      p.onDone?.();
    });
  return (
    <div class="respond" role="group" aria-label={t("Answer {what}", { what: p.what })}>
      <div class="answers">
        {answers.map((a) => (
          <button type="button" aria-pressed={p.partstat === a.partstat} disabled={task.busy} onClick={() => answer(a.partstat, t(a.text))}>{t(a.text)}</button>
        ))}
        {!open && <button type="button" class="quiet" onClick={() => setOpen(true)}>{t("Add a comment")}</button>}
      </div>
      {open && <Field label={t("Comment for the organizer")}><input value={comment} maxLength={2000} autofocus onInput={(e) => setComment(e.currentTarget.value)} /></Field>}
      <Trouble error={task.error} />
    </div>
  );
}
