package simulation

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/recur"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

// paper is a house that keeps everything as values and asks itip what follows.
// What is written down by commit survives a crash, all else does not.
type paper struct {
	w       *World
	n       int
	objects map[string]*sheet // by person and UID
	rows    []*row
	seen    map[string]bool // letters that were processed, by person and digest
	holding map[string][]*heldLetter
	ids     int64
	fuse    int // steps left to live; 0 = it lives on
	down    bool
}

// sheet is what somebody keeps of one event.
type sheet struct {
	cal     *ical.Calendar
	memory  itip.Memory
	etag    int
	tag     int
	deleted bool
	last    *ical.Calendar // what was deleted
}

// row is a message in the journal.
type row struct {
	id   int64
	l    *letter
	done bool
}

func newPaper(w *World, n int) house {
	return &paper{w: w, n: n, objects: map[string]*sheet{}, seen: map[string]bool{}, holding: map[string][]*heldLetter{}}
}

func (h *paper) close() {}

func (h *paper) crash(after int) { h.fuse = after }

func (h *paper) recover() {
	if h.down {
		h.w.say("house %d is up again", h.n)
	}
	h.down = false
}

// tick is a moment at which the process may die.
func (h *paper) tick() bool {
	if h.fuse > 0 {
		if h.fuse--; h.fuse == 0 {
			h.down = true
			h.w.say("house %d crashes", h.n)
		}
	}
	return h.down
}

func (h *paper) sheet(who *person, uid string) *sheet {
	k := who.name + " " + uid
	s := h.objects[k]
	if s == nil {
		s = &sheet{}
		h.objects[k] = s
	}
	return s
}

func (h *paper) local(a ical.Address) bool {
	p := h.w.who(a)
	return p != nil && p.house == h.n
}

func (h *paper) fetch(who *person, uid string) copied {
	s := h.sheet(who, uid)
	c := copied{cal: s.cal, memory: s.memory, deleted: s.deleted}
	if s.cal != nil {
		c.etag, c.tag = fmt.Sprint("e", s.etag), fmt.Sprint("t", s.tag)
	}
	return c
}

func (h *paper) save(who, by *person, uid string, cal *ical.Calendar, only match) error {
	s := h.sheet(who, uid)
	now := h.fetch(who, uid)
	switch {
	case only.etag == "" && only.tag == "":
		if s.cal != nil {
			return errStale
		}
	case only.etag != "" && only.etag != now.etag, only.tag != "" && only.tag != now.tag:
		return errStale
	}
	if h.tick() {
		return errCrashed
	}
	if err := h.change(who, by, uid, cal, itip.ReplyDefault, only.tag != ""); err != nil {
		return err
	}
	return h.hurry()
}

func (h *paper) remove(who *person, uid, etag string, silent bool) error {
	if h.fetch(who, uid).etag != etag {
		return errStale
	}
	policy := itip.ReplyDefault
	if silent {
		policy = itip.ReplySuppress
	}
	if h.tick() {
		return errCrashed
	}
	if err := h.change(who, who, uid, nil, policy, false); err != nil {
		return err
	}
	return h.hurry()
}

// change is one commit: the object and the rows of its messages.
func (h *paper) change(who, by *person, uid string, cal *ical.Calendar, policy itip.ReplyPolicy, merge bool) error {
	s := h.sheet(who, uid)
	before := s.cal
	c := itip.Change{Old: s.cal, New: cal, Memory: s.memory, User: who.addresses, Now: h.w.now, Reply: policy, MergePartstat: merge, Local: h.local}
	if by != who {
		c.By = by.address()
	}
	if s.cal == nil && s.last != nil {
		c.Memory = itip.Former(s.last, c.User)
	}
	out, err := itip.Plan(c)
	if err != nil {
		return err
	}
	if before != nil && out.Object != nil {
		h.w.counts(who, before, out)
	}
	if cal == nil {
		*s = sheet{etag: s.etag, tag: s.tag, deleted: true, last: s.cal}
	} else if s.cal == nil || !bytes.Equal(s.cal.Bytes(), out.Object.Bytes()) {
		s.cal, s.deleted = out.Object, false
		s.etag++
		if out.TagChanged {
			s.tag++
		}
	}
	if cal != nil {
		s.memory = out.Memory
	}
	h.write(who, out.Send)
	return nil
}

// write adds rows to the journal.
func (h *paper) write(from *person, list []itip.Message) {
	for _, m := range list {
		h.ids++
		to := h.w.who(m.To)
		if to == nil {
			h.w.fail("%s writes to nobody: %s", from.name, m.To)
		}
		l := &letter{row: h.ids, from: from, to: to, sender: m.From, rcpt: m.To, method: m.Method, uid: m.UID, rid: m.RecurrenceID, cal: m.Calendar, sentBy: m.SentBy}
		if m.SentBy != "" && h.w.r.IntN(2) == 0 && !h.local(m.To) {
			l.sender = m.SentBy // it leaves from the designate's own mailbox
		}
		h.w.observe(l, m.Refresh)
		h.rows = append(h.rows, &row{id: h.ids, l: l})
	}
}

// hurry delivers what is for people of this house before the request returns;
// a row stays behind others for the same person.
func (h *paper) hurry() error {
	if h.tick() {
		return errCrashed
	}
	for i := 0; i < len(h.rows); i++ {
		x := h.rows[i]
		if x.done || x.l.to.house != h.n {
			continue
		}
		if !h.send(x) {
			return errCrashed
		}
	}
	return nil
}

func (h *paper) carry() {
	for i := 0; i < len(h.rows); i++ {
		if x := h.rows[i]; !x.done && !h.send(x) {
			return
		}
	}
	h.rows = slices.DeleteFunc(h.rows, func(x *row) bool { return x.done })
}

// send carries one row; false: the process died on the way.
func (h *paper) send(x *row) bool {
	if h.tick() {
		return false
	}
	if x.l.to.house == h.n {
		got, ok := h.take(x.l, fmt.Sprintf("row:%s:%d", x.l.from.name, x.id), false)
		h.w.say("%s gets %s s=%d about %q from %s: %s %s", x.l.to.name, x.l.method, sequenceOf(x.l.cal), x.l.rid, x.l.from.name, got.decision, got.reason)
		if !ok {
			return false
		}
	} else {
		h.w.post(x.l)
	}
	if h.tick() {
		return false
	}
	x.done = true
	return true
}

func (h *paper) pending() bool {
	return slices.ContainsFunc(h.rows, func(x *row) bool { return !x.done })
}

func (h *paper) retry(l *letter) { h.w.post(l) }

func (h *paper) receive(l *letter) (receipt, bool) {
	if h.tick() {
		return receipt{}, false
	}
	got, ok := h.take(l, string(l.method)+" "+l.sender.Key()+" "+stamped(l.cal), false)
	if !ok {
		return got, false
	}
	return got, h.hurry() == nil
}

// take is one commit: a letter and all that follows from it here.
func (h *paper) take(l *letter, digest string, approved bool) (receipt, bool) {
	if h.seen[l.to.name+" "+digest] && !approved {
		return receipt{itip.Unchanged, "same"}, !h.tick()
	}
	s := h.sheet(l.to, l.uid)
	a := itip.Arrival{Stored: s.cal, Memory: s.memory, Message: l.cal, Method: l.method, User: l.to.addresses, From: l.sender, Received: h.w.now,
		AutoAdd: true, Approved: approved, Local: h.local, Busy: h.told(l.to)}
	if approved && l.from != nil {
		a.Sender = l.from.address()
	}
	if s.cal == nil {
		a.Memory = itip.Memory{}
		if a.Deleted = s.deleted; s.deleted {
			a.Memory, a.Last = itip.Known(s.last), s.last
		}
	}
	var waiting []*heldLetter
	for _, x := range h.holding[l.to.name] {
		if x.reason == itip.ReasonWaiting && x.cal.UID() == l.uid {
			waiting = append(waiting, x)
			a.Waiting = append(a.Waiting, x.cal)
		}
	}
	res, err := itip.Apply(a)
	if err != nil {
		h.w.fail("%s cannot apply a message: %v", l.to.name, err)
	}
	h.w.authority(l, res, s.cal, approved)
	h.once(a, res, l)
	for _, x := range res.Settled {
		h.forget(l.to, waiting[x.Index].id)
	}
	h.seen[l.to.name+" "+digest] = true
	switch {
	case res.Decision == itip.Held && (!approved || res.Reason == itip.ReasonWaiting):
		h.ids++
		h.holding[l.to.name] = append(h.holding[l.to.name], &heldLetter{id: h.ids, reason: res.Reason, sender: l.sender, method: l.method, cal: l.cal})
	case res.Decision == itip.Applied && res.Object != nil:
		if s.cal == nil || !bytes.Equal(s.cal.Bytes(), res.Object.Bytes()) {
			s.cal, s.deleted = res.Object, false
			s.etag++
			if res.TagChanged {
				s.tag++
			}
		}
	}
	if s.cal != nil && res.Decision != itip.Held {
		s.memory = res.Memory
	}
	h.write(l.to, res.Send)
	if l.to.room && res.Decision == itip.Applied && l.method == itip.Request {
		h.answerAsRoom(l.to, l.uid)
	}
	return receipt{res.Decision, res.Reason}, !h.tick()
}

// once applies what was applied once more: it must change nothing.
func (h *paper) once(a itip.Arrival, res *itip.Result, l *letter) {
	if res.Decision != itip.Applied || res.Object == nil {
		return
	}
	a.Stored, a.Memory, a.Waiting, a.Deleted = res.Object, res.Memory, nil, false
	again, err := itip.Apply(a)
	if err != nil || again.Decision == itip.Applied && contents(again.Object) != contents(res.Object) {
		h.w.fail("%s applies %s a second time, and it changes something (%v)\n%s\nonce:\n%s\ntwice:\n%s", l.to.name, l.method, err, text(l.cal), text(res.Object), text(again.Object))
	}
}

func (h *paper) forget(p *person, id int64) {
	h.holding[p.name] = slices.DeleteFunc(h.holding[p.name], func(x *heldLetter) bool { return x.id == id })
}

func (h *paper) held(who *person) []heldLetter {
	var out []heldLetter
	for _, x := range h.holding[who.name] {
		out = append(out, *x)
	}
	return out
}

func (h *paper) decide(who *person, id int64, approve bool) {
	i := slices.IndexFunc(h.holding[who.name], func(x *heldLetter) bool { return x.id == id })
	x := h.holding[who.name][i]
	h.forget(who, id)
	s := h.sheet(who, x.cal.UID())
	switch {
	case x.method == itip.Counter && s.cal == nil:
	case x.method == itip.Counter && approve:
		if cal, err := itip.TakeUp(s.cal, x.cal, nil); err != nil {
			h.w.say("it cannot be taken up: %v", err)
		} else if err := h.change(who, who, x.cal.UID(), cal, itip.ReplyDefault, false); err != nil {
			h.w.say("it cannot be taken up: %v", err)
		}
	case x.method == itip.Counter:
		if m, memory, ok := itip.DeclineProposal(s.cal, s.memory, x.cal, x.sender, h.w.now, nil); ok {
			s.memory = memory
			h.write(who, []itip.Message{m})
		}
	case approve:
		l := &letter{from: h.w.who(x.sender), to: who, method: x.method, uid: x.cal.UID(), cal: x.cal}
		got, _ := h.take(l, fmt.Sprint("approved ", id), true)
		h.w.say("  then it is %s %s", got.decision, got.reason)
	}
	h.hurry()
}

func (h *paper) answer(who *person, uid, partstat, occurrence string) error {
	if h.tick() {
		return errCrashed
	}
	if err := h.respond(who, uid, partstat, occurrence); err != nil {
		return err
	}
	return h.hurry()
}

func (h *paper) respond(who *person, uid, partstat, occurrence string) error {
	s := h.sheet(who, uid)
	cal, err := itip.Answer(s.cal, s.memory, who.addresses, partstat, "", occurrence, h.w.now)
	if err != nil {
		return err
	}
	return h.change(who, who, uid, cal, itip.ReplyDefault, false)
}

// answerAsRoom answers each open part: accepted where nothing else is at the
// time.
func (h *paper) answerAsRoom(room *person, uid string) {
	s := h.sheet(room, uid)
	if s.cal == nil || len(s.cal.Main()) > 0 && s.cal.Main()[0].Name != "VEVENT" {
		return
	}
	var taken []freebusy.Period
	for _, e := range h.w.events {
		if e.uid != uid {
			taken = append(taken, bookings(h.sheet(room, e.uid).cal, room)...)
		}
	}
	z := tz.NewResolver(s.cal, nil)
	set, err := recur.New(s.cal, z, recur.Options{})
	if err != nil {
		return
	}
	for _, c := range append(s.cal.Overrides(), s.cal.Master()) {
		if c == nil || partstatOf(c, room) != "NEEDS-ACTION" {
			continue
		}
		answer, id := "ACCEPTED", ""
		for o := range set.All() {
			if o.Component != c {
				continue
			}
			if c.Prop("RECURRENCE-ID") != nil {
				id = occurrenceKey(z, o.ID)
			}
			if slices.ContainsFunc(taken, func(p freebusy.Period) bool { return p.From.Before(o.To) && o.From.Before(p.To) }) {
				answer = "DECLINED"
			}
		}
		if c.Prop("RECURRENCE-ID") != nil && id == "" {
			continue
		}
		if err := h.respond(room, uid, answer, id); err != nil {
			h.w.say("%s cannot answer: %v", room.name, err)
		}
	}
}
