package itip_test

import (
	"bytes"
	"slices"
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

func (w *world) put(who string, cal *ical.Calendar, opts []string, isImport bool) {
	w.t.Helper()
	c := w.of(who)
	change := itip.Change{Old: c.object, New: cal, Memory: c.memory, User: w.addresses(who), Now: w.now, Import: isImport, Local: w.localFunc(), Zone: w.zone,
		Plain:  func(a ical.Address) bool { return w.outlook[personOf(a)] },
		Renews: func(a ical.Address) bool { return w.renews[personOf(a)] }}
	for _, o := range opts {
		switch {
		case o == "quietly":
			change.Reply = itip.ReplySuppress
		case o == "merging":
			change.MergePartstat = true
		case strings.HasPrefix(o, "by="):
			change.By = address(o[3:])
		}
	}
	var before [2][]byte
	for i, x := range []*ical.Calendar{c.object, cal} {
		if x != nil {
			before[i] = x.Bytes()
		}
	}
	out, err := itip.Plan(change)
	w.failure = err
	for i, x := range []*ical.Calendar{c.object, cal} {
		if x != nil && !bytes.Equal(before[i], x.Bytes()) {
			w.errorf("Plan changed its input")
		}
	}
	if err != nil {
		return
	}
	if again, _ := itip.Plan(change); again != nil && out.Object != nil && !bytes.Equal(out.Object.Bytes(), again.Object.Bytes()) {
		w.errorf("Plan does not give the same answer twice")
	}
	if out.Role == itip.OrganizerRole && c.object != nil && out.Object != nil {
		if a, b := top(c.object), top(out.Object); b < a {
			w.errorf("the organizer's SEQUENCE fell from %d to %d", a, b)
		}
	}
	if out.Role == itip.AttendeeRole && c.object != nil && out.Object != nil && top(out.Object) > top(c.object) {
		w.errorf("an attendee raised SEQUENCE")
	}
	c.object, c.memory = out.Object, out.Memory
	c.deleted = out.Object == nil
	w.people = out.People
	w.complete(change, out)
	w.post(out.Send)
}

func top(cal *ical.Calendar) int {
	n := 0
	for _, c := range cal.Main() {
		if p := c.Prop("SEQUENCE"); p != nil {
			if i, err := p.Int(); err == nil {
				n = max(n, i)
			}
		}
	}
	return n
}

// post checks every message and queues it: nothing private leaves, and what is
// sent passes the tables and reads back.
func (w *world) post(list []itip.Message) {
	w.t.Helper()
	for _, m := range list {
		text := m.Calendar.Bytes()
		if err := itip.CheckMessage(m.Calendar); err != nil {
			w.errorf("sent what the tables forbid: %v\n%s", err, text)
		}
		if list := strict(m.Calendar); len(list) > 0 {
			w.errorf("sent what the validator refuses: %v\n%s", list, text)
		}
		back, err := ical.Parse(text)
		if err != nil || !bytes.Equal(back.Bytes(), text) || len(back.Repairs) > 0 {
			w.errorf("sent what does not read back: %v %v\n%s", err, back.Repairs, text)
		}
		original, renewed := itip.OriginalUID(m.Calendar.UID())
		if m.Calendar.Method() != string(m.Method) || m.UID != m.Calendar.UID() && !(renewed && m.UID == original) {
			w.errorf("envelope and object disagree: %+v", m)
		}
		for _, private := range []string{"SCHEDULE-", "VALARM", "X-MOZ-", "COLOR", "CATEGORIES"} {
			if strings.Contains(string(text), private) && !(m.Method == itip.Publish && private == "CATEGORIES") {
				w.errorf("%s left the house:\n%s", private, text)
			}
		}
		to := personOf(m.To)
		if !w.local[to] && len(m.Calendar.Main()) > 1 && !w.whole && m.Method != itip.Publish && !(m.Method == itip.Reply && m.RecurrenceID == "") {
			w.errorf("several components in one message to %s, who is outside", to)
		}
		if m.Method == itip.Request && !m.Refresh {
			w.invited[to] = m.Calendar
		}
		p := parcel{m, to}
		w.unseen = append(w.unseen, p)
		w.queue = append(w.queue, p)
	}
}

func (w *world) answer(who, partstat string, opts []string) {
	w.t.Helper()
	c := w.of(who)
	id, note := "", ""
	for i := 0; i+1 < len(opts); i += 2 {
		switch opts[i] {
		case "of":
			id = opts[i+1]
		case "note":
			note = strings.Join(opts[i+1:], " ")
		}
	}
	cal, err := itip.Answer(c.object, c.memory, w.addresses(who), partstat, note, id, w.now)
	if err != nil {
		w.failure = err
		return
	}
	w.put(who, cal, nil, false)
}

// deliver hands out what is queued: to everyone, or to some; what that causes
// is delivered as well.
func (w *world) deliver(to []string) {
	w.t.Helper()
	for i := 0; i < len(w.queue); {
		m := w.queue[i]
		if len(to) > 0 && !slices.Contains(to, m.to) {
			i++
			continue
		}
		w.queue = slices.Delete(w.queue, i, i+1)
		w.accept(m.to, m.Calendar, m.Method, m.From)
		if w.twice && m.Calendar.Kind() != "VFREEBUSY" { // a question, which leaves nothing behind
			sent, before := len(w.queue), w.text(m.to)
			r := w.accept(m.to, m.Calendar, m.Method, m.From)
			if after := w.text(m.to); after != before || len(w.queue) != sent && r.Reason != itip.ReasonRefreshed {
				w.errorf("%s delivered twice to %s: decision %s %s, object changed %v, %d messages\n%s\n%s", m.Method, m.to, r.Decision, r.Reason, after != before, len(w.queue)-sent, before, after)
			}
		}
	}
}

func (w *world) text(who string) string {
	if c := w.of(who).object; c != nil {
		return string(c.Bytes())
	}
	return ""
}

func (w *world) accept(who string, msg *ical.Calendar, method itip.Method, from ical.Address) *itip.Result {
	w.t.Helper()
	w.now = w.now.Add(time.Second)
	for uid, c := range w.copies[who] {
		if c.object != nil && uid != msg.UID() && c.object.UID() == msg.UID() {
			w.errorf("uid mix-up")
		}
	}
	old := w.uid
	w.uid = msg.UID()
	if original, ok := itip.OriginalUID(w.uid); ok && w.copies[who][original] != nil && w.copies[who][original].object != nil {
		if method == itip.Reply || method == itip.Counter || method == itip.Refresh {
			w.uid = original
		}
	}
	defer func() { w.uid = old }()
	c := w.of(who)
	a := itip.Arrival{Stored: c.object, Memory: c.memory, Message: msg, Method: method, User: w.addresses(who), From: from,
		Received: w.now, AutoAdd: !w.ask[who], Deleted: c.deleted, Waiting: c.waiting, Local: w.localFunc(), Zone: w.zone, MaxAttendees: w.limit}
	w.inputs(who, &a)
	var stored []byte
	if c.object != nil {
		stored = c.object.Bytes()
	}
	text := msg.Bytes()
	r, err := itip.Apply(a)
	if err != nil {
		w.t.Fatalf("%s:%d: %v", w.file, w.line, err)
	}
	if c.object != nil && !bytes.Equal(stored, c.object.Bytes()) || !bytes.Equal(text, msg.Bytes()) {
		w.errorf("Apply changed its input")
	}
	if r.Sentence == "" || r.Reason == "" {
		w.errorf("no reason or sentence: %+v", r)
	}
	if (r.Object != nil) != (r.Decision == itip.Applied) && r.Reason != itip.ReasonCounter {
		w.errorf("decision %s with object %v", r.Decision, r.Object != nil)
	}
	if method == itip.Counter && r.Decision == itip.Held {
		w.counter[who] = msg
	}
	w.whole = method == itip.Refresh
	defer func() { w.whole = false }()
	if m := itip.Method(strings.ToUpper(string(method))); m == itip.Reply || m == itip.Cancel || m == itip.Publish {
		for _, s := range r.Send {
			if !s.Refresh && r.Reason != itip.ReasonNoDelegation && w.crashers != itip.AdmitCrashers && !(m == itip.Reply && (delegates(s.Calendar, s.To) || parted(r.Send, s.To))) {
				w.errorf("%s caused a %s", m, s.Method)
			}
		}
	}
	for _, s := range r.Settled {
		c.waiting[s.Index] = nil
	}
	c.waiting = slices.DeleteFunc(c.waiting, func(m *ical.Calendar) bool { return m == nil })
	if r.Decision == itip.Held && r.Reason == itip.ReasonWaiting {
		c.waiting = append(c.waiting, msg)
	}
	if method == itip.Reply && r.Object != nil {
		onlyReplier(w, c.object, r.Object, r.Attendee, r.Reason == itip.ReasonPreviousTime || w.crashers == itip.AdmitCrashers)
	}
	if r.Object != nil {
		c.object, c.deleted = r.Object, false
	}
	c.memory = r.Memory
	w.last[who] = r
	if r.Reason == itip.ReasonCounter && r.Object != nil {
		c.object = r.Object
	}
	w.post(r.Send)
	return r
}

// parted reports whether messages take something from somebody, who is then asked
// about what they keep.
func parted(list []itip.Message, to ical.Address) bool {
	return slices.ContainsFunc(list, func(m itip.Message) bool { return m.Method == itip.Cancel && m.To.Equal(to) })
}

// delegates reports whether somebody is one of a delegator and a delegate.
func delegates(cal *ical.Calendar, who ical.Address) bool {
	for _, c := range cal.Main() {
		for _, a := range itip.Attendees(c) {
			if len(a.DelegatedFrom) > 0 && (a.Address.Equal(who) || slices.ContainsFunc(a.DelegatedFrom, who.Equal)) {
				return true
			}
		}
	}
	return false
}

// onlyReplier: in components that were there, a REPLY touches only the
// lines of who answers (and of a delegate). numbers: what others keep of an event
// whose cancellation the answer led to has a new SEQUENCE.
func onlyReplier(w *world, old, new *ical.Calendar, who ical.Address, numbers bool) {
	w.t.Helper()
	for _, c := range old.Main() {
		id := "series"
		if p := c.Prop("RECURRENCE-ID"); p != nil {
			id = p.Value()
		}
		d := pick(new, id)
		if d == nil {
			w.errorf("a reply removed a component")
			continue
		}
		strip := func(c *ical.Component) []string {
			var out []string
			for _, p := range c.Properties {
				if numbers && p.Name() == "SEQUENCE" {
					continue
				}
				if p.Name() == "ATTENDEE" && (p.Address().Equal(who) || delegates(old, p.Address()) || delegates(new, p.Address())) {
					continue
				}
				out = append(out, lineOf(p))
			}
			return out
		}
		if a, b := strip(c), strip(d); !slices.Equal(a, b) {
			w.errorf("a reply of %s changed more than its line:\n%v\n%v", who, a, b)
		}
	}
}

func lineOf(p *ical.Property) string {
	s := p.Name()
	for n, v := range p.Params() {
		s += ";" + n + "=" + strings.Join(v, ",")
	}
	return s + ":" + p.Value()
}

func (w *world) receive(who string, opts, block []string) {
	w.t.Helper()
	method, rest := "", []string(nil)
	for _, l := range block {
		if m, ok := strings.CutPrefix(l, "METHOD:"); ok {
			method = m
		} else {
			rest = append(rest, l)
		}
	}
	var from ical.Address
	approved := false
	for _, o := range opts {
		if n, ok := strings.CutPrefix(o, "from="); ok {
			if from = address(n); strings.Contains(n, "@") {
				from = ical.Mailto(n)
			}
		}
		if n, ok := strings.CutPrefix(o, "token="); ok {
			w.token = address(n)
			defer func() { w.token = "" }()
		}
		approved = approved || o == "approved"
	}
	msg := w.object(rest, method)
	if slices.Contains(opts, "outlook") {
		msg.Set("PRODID", "Microsoft Exchange Server 2010")
	}
	if approved {
		c := w.of(who)
		a := itip.Arrival{Stored: c.object, Memory: c.memory, Message: msg, User: w.addresses(who), Sender: from, Received: w.now, Approved: true, Local: w.localFunc(), Zone: w.zone}
		w.inputs(who, &a)
		r, err := itip.Apply(a)
		if err != nil {
			w.t.Fatal(err)
		}
		if r.Object != nil {
			c.object, c.memory = r.Object, r.Memory
		}
		w.last[who] = r
		w.post(r.Send)
		return
	}
	w.accept(who, msg, itip.Method(method), from)
	if w.twice && method != "COUNTER" { // which may be declined each time
		sent, before := len(w.queue), w.text(who)
		w.accept(who, msg, itip.Method(method), from)
		if w.text(who) != before || len(w.queue) != sent {
			w.errorf("received twice: the object changed or something was sent")
		}
	}
}
