import { useEffect, useState } from "preact/hooks";
import { api, type Group } from "./api";
import { Field, PersonField, Trouble, useTask } from "./parts";
import { useApp } from "./state";
import { count, t } from "./text";

/** Groups: who is in them; administrators change that. */
export function Groups() {
  const app = useApp();
  const task = useTask();
  const [list, setList] = useState<Group[] | null>(null);
  const [name, setName] = useState("");
  const [address, setAddress] = useState("");
  useEffect(() => void api.groups().then(setList, (e: Error) => task.setError(e.message)), [app.version]);
  if (!list) return <Trouble error={task.error} />;
  return (
    <>
      <h2>{t("Groups")}</h2>
      <p class="hint">{t("Whoever invites a group invites its members, and a calendar shared with it is shared with them.")}</p>
      {list.length === 0 && <p class="hint">{app.me.admin ? t("There are no groups yet.") : t("You are in no group.")}</p>}
      <ul class="cards">
        {list.map((g) => <li class="card group-card" key={g.name}><Members group={g} onChange={(n) => setList(list.map((x) => (x.name === n.name ? n : x)))} /></li>)}
      </ul>
      {app.me.admin && (
        <form
          class="row"
          onSubmit={(e) => {
            e.preventDefault();
            void task.run(async () => {
              const made = await api.addGroup({ address: address.trim(), displayName: name.trim() });
              setList([...list, made]);
              setName("");
              setAddress("");
            });
          }}
        >
          <Field label={t("Name of a new group")}><input name="group" value={name} required maxLength={200} onInput={(e) => setName(e.currentTarget.value)} /></Field>
          <Field label={t("Its mail address")}><input type="email" value={address} required autoComplete="off" placeholder="team@example.org" onInput={(e) => setAddress(e.currentTarget.value)} /></Field>
          <button type="submit" disabled={task.busy}>{t("Make a group")}</button>
        </form>
      )}
      <Trouble error={task.error} />
    </>
  );
}

function Members({ group, onChange }: { group: Group; onChange: (g: Group) => void }) {
  const app = useApp();
  const task = useTask();
  const [who, setWho] = useState("");
  const add = () => task.run(async () => { onChange(await api.addMembers(group.name, who.split(/[\s,;]+/).filter((x) => x !== ""))); setWho(""); });
  return (
    <>
      <h3>{group.displayName} <span class="hint">{group.address}, {count(group.members.length, "{n} member", "{n} members")}</span></h3>
      <ul class="plain lines scrolls" aria-label={t("Members of {name}", { name: group.displayName })} tabIndex={group.members.length > 12 ? 0 : undefined}>
        {group.members.map((m) => (
          <li key={m.address}>
            <span class="person">{m.name ? <><b>{m.name}</b> <span class="hint">{m.address}{m.kind === "group" && `, ${t("group")}`}</span></> : m.address}</span>
            {group.mayChange && <button type="button" class="small danger" disabled={task.busy} aria-label={t("Remove: {name}", { name: m.name || m.address })} onClick={() => task.run(async () => { onChange(await api.dropMembers(group.name, [m.address])); app.say(t("{name} is in {group} no longer.", { name: m.name || m.address, group: group.displayName })); })}>{t("Remove")}</button>}
          </li>
        ))}
      </ul>
      {group.mayChange && (
        <form class="row" onSubmit={(e) => { e.preventDefault(); void add(); }}>
          <PersonField label={t("New members")} hint={t("Several addresses with commas between them.")} value={who} onChange={setWho} />
          <button type="submit" disabled={task.busy || who.trim() === ""}>{t("Add")}</button>
        </form>
      )}
      <Trouble error={task.error} />
    </>
  );
}
