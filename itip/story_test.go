package itip_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/ical/freebusy"
	"github.com/convene-cal/convene/ical/tz"
	"github.com/convene-cal/convene/itip"
)

// The stories in testdata/stories tell what people do and what follows. See
// testdata/stories/README for the language. Each is told twice: the second
// time every message is delivered two times, which must change nothing.
func TestStories(t *testing.T) {
	files, err := filepath.Glob("testdata/stories/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatalf("no stories: %v", err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".txt")
		t.Run(name, func(t *testing.T) { tell(t, file, string(text), false) })
		t.Run(name+"/twice", func(t *testing.T) { tell(t, file, string(text), true) })
	}
}

// copyOf is one person's calendar: one object, as a service would keep it.
type copyOf struct {
	object  *ical.Calendar
	memory  itip.Memory
	deleted bool
	waiting []*ical.Calendar
}

type parcel struct {
	itip.Message
	to string
}

// world is the state of a story.
type world struct {
	t       *testing.T
	file    string
	line    int
	twice   bool
	now     time.Time
	uid     string
	zone    *tz.Zone
	local   map[string]bool
	aliases map[string][]ical.Address
	ask     map[string]bool // invitations are not added by themselves
	copies  map[string]map[string]*copyOf
	unseen  []parcel // sent and not yet expected
	queue   []parcel // sent and not yet delivered
	last    map[string]*itip.Result
	failure error // of the last put
	lastPut func()
	people  []itip.Notice                // of the last put
	consent map[string]bool              // "alice dora": alice lets dora act
	members map[string]bool              // "team bob": bob is in the group
	answers map[string]bool              // whose program answers REFRESH
	busy    map[string][]freebusy.Period // when people are busy
	told    map[string]itip.Disclosure   // what they tell who asks
	counter map[string]*ical.Calendar    // the last proposal to somebody
	invited map[string]*ical.Calendar    // the last invitation of somebody
	outlook map[string]bool              // whose program has Outlook's limits
	strict  map[string]bool              // who lets nobody delegate
	tail    *ical.Calendar               // the later part of a divided series
	token   ical.Address                 // whose reply address the message came to
	whole   bool                         // the next messages may have several components for anybody
	limit   int                          // attendees
}

func address(name string) ical.Address { return ical.Mailto(name + "@" + name + ".test") }

func personOf(a ical.Address) string {
	name, _, _ := strings.Cut(a.Email(), "@")
	return name
}

func (w *world) errorf(format string, args ...any) {
	w.t.Helper()
	w.t.Errorf("%s:%d: %s", w.file, w.line, fmt.Sprintf(format, args...))
}

func tell(t *testing.T, file, text string, twice bool) {
	w := &world{t: t, file: file, twice: twice, uid: "meeting@alice.test", local: map[string]bool{}, aliases: map[string][]ical.Address{},
		ask: map[string]bool{}, copies: map[string]map[string]*copyOf{}, last: map[string]*itip.Result{},
		consent: map[string]bool{}, members: map[string]bool{}, answers: map[string]bool{}, busy: map[string][]freebusy.Period{},
		told: map[string]itip.Disclosure{}, counter: map[string]*ical.Calendar{}, invited: map[string]*ical.Calendar{}, outlook: map[string]bool{}, strict: map[string]bool{},
		now: time.Date(2026, 2, 2, 9, 0, 0, 0, time.UTC)}
	lines := strings.Split(text, "\n")
	for i := 0; i < len(lines); i++ {
		line := strings.TrimRight(lines[i], " \r")
		if line == "" || line[0] == '#' {
			continue
		}
		w.line = i + 1
		var block []string
		for i+1 < len(lines) && strings.HasPrefix(lines[i+1], "  ") {
			i++
			block = append(block, strings.TrimSpace(lines[i]))
		}
		w.step(strings.Fields(line), line, block)
	}
	w.line = len(lines)
	w.settled()
}

// settled fails when something was sent that no line expected.
func (w *world) settled() {
	w.t.Helper()
	for _, m := range w.unseen {
		w.errorf("unexpected %s to %s about %q refresh=%v\n%s", m.Method, m.to, m.RecurrenceID, m.Refresh, m.Calendar.Bytes())
	}
	w.unseen = nil
}

func (w *world) step(f []string, line string, block []string) {
	w.t.Helper()
	switch f[0] {
	case "expect":
		w.expect(f[1:], block)
		return
	case "local":
		for _, n := range f[1:] {
			w.local[n] = true
		}
		return
	case "alias":
		w.aliases[f[1]] = append(w.aliases[f[1]], ical.Mailto(f[2]))
		return
	case "asks":
		w.ask[f[1]] = true
		return
	case "consent":
		w.consent[f[1]+" "+f[2]] = true
		return
	case "member":
		w.members[f[1]+" "+f[2]] = true
		return
	case "refreshes":
		w.answers[f[1]] = true
		return
	case "outlook":
		w.outlook[f[1]] = true
		return
	case "nodelegation":
		w.strict[f[1]] = true
		return
	case "limit":
		w.limit, _ = strconv.Atoi(f[1])
		return
	case "busy":
		w.isBusy(f[1], f[2:])
		return
	case "uid":
		w.uid = f[1]
		return
	case "zone":
		z, err := tz.Load(f[1])
		if err != nil {
			w.t.Fatalf("%s:%d: %v", w.file, w.line, err)
		}
		w.zone = z
		return
	}
	w.settled()
	w.now = w.now.Add(time.Minute)
	switch f[0] {
	case "at":
		t, err := time.Parse(time.RFC3339, f[1])
		if err != nil {
			w.t.Fatalf("%s:%d: %v", w.file, w.line, err)
		}
		w.now = t
	case "put", "import", "edit":
		cal := w.compose(f, block)
		who, opts := f[1], f[2:]
		w.lastPut = func() { w.put(who, cal, opts, f[0] == "import") }
		w.lastPut()
	case "again":
		w.lastPut()
	case "delete":
		w.put(f[1], nil, f[2:], false)
	case "answer":
		w.answer(f[1], f[2], f[3:])
	case "deliver":
		w.deliver(f[1:])
	case "reverse":
		slices.Reverse(w.queue)
	case "lose":
		w.queue = slices.DeleteFunc(w.queue, func(p parcel) bool { return len(f) == 1 || p.to == f[1] })
	case "receive":
		w.receive(f[1], f[2:], block)
	case "propose", "askrefresh", "askstatus", "state", "publish", "turnaway", "forward", "delegate", "takeup", "dismiss", "askbusy", "split", "splittail":
		w.write(f[0], f[1], f[2:], block)
	default:
		w.t.Fatalf("%s:%d: unknown step %q", w.file, w.line, line)
	}
}

var shorthand = regexp.MustCompile(`([:"])@(\w+)`)

func expand(s string) string { return shorthand.ReplaceAllString(s, "${1}mailto:$2@$2.test") }

// object builds a calendar of content lines; "--" begins another component.
func (w *world) object(block []string, method string) *ical.Calendar {
	kind := "VEVENT"
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Story//EN\r\n")
	if method != "" {
		b.WriteString("METHOD:" + method + "\r\n")
	}
	var comps [][]string
	cur := []string{}
	for _, l := range block {
		switch {
		case strings.HasPrefix(l, "TIMEZONE "): // a definition with one offset
			name, offset := l[len("TIMEZONE "):len(l)-len(" +0000")], l[len(l)-len("+0000"):]
			b.WriteString("BEGIN:VTIMEZONE\r\nTZID:" + name + "\r\nBEGIN:STANDARD\r\nDTSTART:16010101T000000\r\nTZOFFSETFROM:" + offset + "\r\nTZOFFSETTO:" + offset + "\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n")
		case l == "--":
			comps, cur = append(comps, cur), nil
		case l == "VTODO" || l == "VEVENT" || l == "VJOURNAL" || l == "VFREEBUSY":
			kind = l
		default:
			cur = append(cur, expand(l))
		}
	}
	for _, c := range append(comps, cur) {
		b.WriteString("BEGIN:" + kind + "\r\n")
		if !slices.ContainsFunc(c, func(s string) bool { return strings.HasPrefix(s, "UID:") }) {
			b.WriteString("UID:" + w.uid + "\r\n")
		}
		if !slices.ContainsFunc(c, func(s string) bool { return strings.HasPrefix(s, "DTSTAMP:") || s == "-DTSTAMP" }) {
			b.WriteString("DTSTAMP:" + w.now.UTC().Format("20060102T150405Z") + "\r\n")
		}
		for _, l := range c {
			if l != "-DTSTAMP" {
				b.WriteString(l + "\r\n")
			}
		}
		b.WriteString("END:" + kind + "\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	cal, err := ical.Parse([]byte(b.String()))
	if err != nil {
		w.t.Fatalf("%s:%d: %v", w.file, w.line, err)
	}
	return cal
}

func (w *world) of(who string) *copyOf {
	if w.copies[who] == nil {
		w.copies[who] = map[string]*copyOf{}
	}
	if w.copies[who][w.uid] == nil {
		w.copies[who][w.uid] = &copyOf{}
	}
	return w.copies[who][w.uid]
}

func (w *world) addresses(who string) []ical.Address {
	return append([]ical.Address{address(who)}, w.aliases[who]...)
}

// compose makes what a client saves: a whole object, or the stored one edited.
func (w *world) compose(f, block []string) *ical.Calendar {
	if f[0] != "edit" {
		return w.object(block, "")
	}
	c := w.of(f[1])
	if c.object == nil {
		w.t.Fatalf("%s:%d: %s has nothing to edit", w.file, w.line, f[1])
	}
	cal := c.object.Clone()
	target := pick(cal, "series")
	for _, l := range block {
		l = expand(l)
		switch {
		case strings.HasPrefix(l, "in "):
			target = pick(cal, strings.TrimPrefix(l, "in "))
			if target == nil {
				w.t.Fatalf("%s:%d: no component %q", w.file, w.line, l)
			}
		case strings.HasPrefix(l, "copy "): // an override, made as clients do
			key := strings.TrimPrefix(l, "copy ")
			target = pick(cal, "series").Clone()
			target.Remove("RRULE", "RDATE", "EXDATE")
			cal.Components = append(cal.Components, target)
			target.Add(property(key))
		case strings.HasPrefix(l, "drop "):
			gone := pick(cal, strings.TrimPrefix(l, "drop "))
			cal.Components = slices.DeleteFunc(cal.Components, func(c *ical.Component) bool { return c == gone })
		case strings.HasPrefix(l, "+"):
			target.Add(property(l[1:]))
		case strings.HasPrefix(l, "-"):
			what := l[1:]
			target.RemoveFunc(func(p *ical.Property) bool {
				return p.Name() == what || "mailto:"+strings.TrimPrefix(what, "@")+"@"+strings.TrimPrefix(what, "@")+".test" == p.Value() && p.Name() == "ATTENDEE"
			})
		case l == "alarm":
			a := ical.NewComponent("VALARM")
			a.Set("ACTION", "DISPLAY")
			a.Set("TRIGGER", "-PT15M")
			target.Components = append(target.Components, a)
		default:
			p := property(l)
			i := slices.IndexFunc(target.Properties, func(q *ical.Property) bool {
				return q.Name() == p.Name() && (p.Name() != "ATTENDEE" || q.Address().Equal(p.Address()))
			})
			if i < 0 {
				target.Add(p)
			} else {
				target.Properties[i] = p
			}
		}
	}
	return cal
}

func property(line string) *ical.Property {
	cal, err := ical.Parse([]byte("BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\n" + line + "\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"))
	if err != nil || len(cal.Components) == 0 || len(cal.Components[0].Properties) == 0 {
		panic("bad line in story: " + line)
	}
	return cal.Components[0].Properties[0]
}

// pick finds the series, or the component whose RECURRENCE-ID has that value.
func pick(cal *ical.Calendar, what string) *ical.Component {
	if cal == nil {
		return nil
	}
	for _, c := range cal.Main() {
		if id := c.Prop("RECURRENCE-ID"); id == nil && (what == "series" || what == "") || id != nil && id.Value() == what {
			return c
		}
	}
	return nil
}

func (w *world) localFunc() func(ical.Address) bool {
	if len(w.local) == 0 {
		return nil
	}
	return func(a ical.Address) bool { return w.local[personOf(a)] }
}

func (w *world) put(who string, cal *ical.Calendar, opts []string, isImport bool) {
	w.t.Helper()
	c := w.of(who)
	change := itip.Change{Old: c.object, New: cal, Memory: c.memory, User: w.addresses(who), Now: w.now, Import: isImport, Local: w.localFunc(), Zone: w.zone,
		Plain: func(a ical.Address) bool { return w.outlook[personOf(a)] }}
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
		if m.Calendar.Method() != string(m.Method) || m.UID != m.Calendar.UID() {
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
			if !s.Refresh && r.Reason != itip.ReasonNoDelegation && !(m == itip.Reply && delegates(s.Calendar, s.To)) {
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
		onlyReplier(w, c.object, r.Object, r.Attendee)
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
// lines of who answers (and of a delegate).
func onlyReplier(w *world, old, new *ical.Calendar, who ical.Address) {
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
	if approved {
		c := w.of(who)
		a := itip.Arrival{Stored: c.object, Memory: c.memory, Message: msg, User: w.addresses(who), From: from, Received: w.now, Approved: true, Local: w.localFunc(), Zone: w.zone}
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

func (w *world) expect(f, block []string) {
	w.t.Helper()
	switch f[0] {
	case "nothing":
		w.settled()
	case "refused":
		e, ok := w.failure.(*itip.Error)
		if !ok || len(f) > 1 && e.Condition != f[1] {
			w.errorf("want refusal %v, got %v", f[1:], w.failure)
			return
		}
		for _, l := range block {
			if !strings.Contains(e.Sentence, l) {
				w.errorf("sentence %q lacks %q", e.Sentence, l)
			}
		}
		w.failure = nil
	case "state":
		w.expectState(f[1], f[2:], block)
	case "none":
		if len(f) > 2 {
			if pick(w.of(f[1]).object, f[2]) != nil {
				w.errorf("%s has a component %s:\n%s", f[1], f[2], w.text(f[1]))
			}
			return
		}
		if w.of(f[1]).object != nil {
			w.errorf("%s has an object:\n%s", f[1], w.text(f[1]))
		}
	case "outcome":
		w.expectOutcome(f[1], f[2:], block)
	case "people":
		w.expectPeople(block)
	case "occurrences":
		w.expectOccurrences(f[1], f[2:], block)
	case "busy":
		w.expectBusy(f[1], block)
	default:
		w.expectMessages(f, block)
	}
	if w.failure != nil && f[0] != "refused" {
		w.errorf("refused: %v", w.failure)
		w.failure = nil
	}
}

func (w *world) expectOutcome(who string, want, block []string) {
	w.t.Helper()
	r := w.last[who]
	if r == nil {
		w.errorf("%s received nothing", who)
		return
	}
	if w.twice {
		return // the second delivery has its own outcome
	}
	for _, x := range want {
		ok := false
		switch x {
		case "notify":
			ok = r.Notify
		case "silent":
			ok = !r.Notify
		case "outdated":
			ok = r.Outdated || r.Reason == x
		case "incomplete":
			ok = r.Incomplete
		case "tag":
			ok = r.TagChanged
		case "sametag":
			ok = !r.TagChanged
		default:
			ok = x == string(r.Decision) || x == r.Reason
		}
		if !ok {
			w.errorf("want %s: got %s %s notify=%v tag=%v: %s", x, r.Decision, r.Reason, r.Notify, r.TagChanged, r.Sentence)
		}
	}
	for _, l := range block {
		if !strings.Contains(r.Sentence, l) {
			w.errorf("sentence %q lacks %q", r.Sentence, l)
		}
	}
}

func (w *world) expectState(who string, what, block []string) {
	w.t.Helper()
	cal := w.of(who).object
	if cal == nil {
		w.errorf("%s has no object", who)
		return
	}
	c := pick(cal, strings.Join(what, ""))
	if c == nil {
		w.errorf("%s has no component %v:\n%s", who, what, cal.Bytes())
		return
	}
	w.lines(c, block, string(cal.Bytes()))
}

// lines checks a component against a block: content that must be there, "!"
// content that must not, "@bob ACCEPTED" an answer, "components 2" a number.
func (w *world) lines(c *ical.Component, block []string, whole string) {
	w.t.Helper()
	var b strings.Builder
	for _, p := range c.Properties {
		b.WriteString(lineOf(p) + "\n")
	}
	for _, s := range c.Components {
		b.WriteString("BEGIN:" + s.Name + "\n")
	}
	text := b.String()
	for _, l := range block {
		switch {
		case strings.HasPrefix(l, "@"):
			f := strings.Fields(l)
			got := "absent"
			for _, a := range itip.Attendees(c) {
				if a.Address.Equal(address(f[0][1:])) {
					got = a.PartStat
					if len(f) > 2 && a.ScheduleStatus != f[2] {
						w.errorf("%s: SCHEDULE-STATUS %q, want %q", f[0], a.ScheduleStatus, f[2])
					}
				}
			}
			if got != f[1] {
				w.errorf("%s is %s, want %s in\n%s", f[0], got, f[1], whole)
			}
		case strings.HasPrefix(l, "! "):
			if strings.Contains(text, expand(l[2:])) {
				w.errorf("should not have %q:\n%s", l[2:], whole)
			}
		default:
			if !strings.Contains(text, expand(l)) {
				w.errorf("lacks %q:\n%s", l, whole)
			}
		}
	}
}

var methods = map[string]itip.Method{"request": itip.Request, "reply": itip.Reply, "cancel": itip.Cancel, "refresh": itip.Request,
	"counter": itip.Counter, "declinecounter": itip.DeclineCounter, "publish": itip.Publish, "ask": itip.Refresh}

// expectMessages: "request to bob, carol about 20260309T090000Z".
func (w *world) expectMessages(f, block []string) {
	w.t.Helper()
	method, ok := methods[f[0]]
	if !ok || len(f) < 3 || f[1] != "to" {
		w.t.Fatalf("%s:%d: cannot read expectation %v", w.file, w.line, f)
	}
	about, to := "", f[2:]
	if i := slices.Index(f, "about"); i > 0 {
		about, to = f[i+1], f[2:i]
	}
	for _, name := range to {
		name = strings.TrimSuffix(name, ",")
		i := slices.IndexFunc(w.unseen, func(p parcel) bool {
			return p.to == name && p.Method == method && p.RecurrenceID == about && p.Refresh == (f[0] == "refresh")
		})
		if i < 0 {
			var have []string
			for _, p := range w.unseen {
				have = append(have, fmt.Sprintf("%s to %s about %q refresh=%v", p.Method, p.to, p.RecurrenceID, p.Refresh))
			}
			w.errorf("no %s to %s about %q; there is %q", f[0], name, about, have)
			continue
		}
		m := w.unseen[i]
		w.unseen = slices.Delete(w.unseen, i, i+1)
		w.parts(m, block)
	}
}

// parts checks a message: its first component, or those named by "in".
func (w *world) parts(m parcel, block []string) {
	w.t.Helper()
	whole := string(m.Calendar.Bytes())
	cur := m.Calendar.Main()[0]
	var lines []string
	flush := func() {
		w.lines(cur, lines, whole)
		lines = nil
	}
	for _, l := range block {
		switch {
		case strings.HasPrefix(l, "in "):
			flush()
			if cur = pick(m.Calendar, l[3:]); cur == nil {
				w.errorf("message has no component %q:\n%s", l[3:], whole)
				return
			}
		case strings.HasPrefix(l, "components "):
			if n := fmt.Sprint(len(m.Calendar.Main())); n != l[len("components "):] {
				w.errorf("message has %s components, want %s:\n%s", n, l, whole)
			}
		case strings.HasPrefix(l, "changes "):
			var have []string
			for _, d := range m.Changes {
				have = append(have, d.Sentence(w.zone))
			}
			if !strings.Contains(strings.Join(have, "; "), l[len("changes "):]) {
				w.errorf("changes are %q, want %q", have, l)
			}
		default:
			lines = append(lines, l)
		}
	}
	flush()
}
