package itip_test

import (
	"fmt"
	"os"
	"path/filepath"
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
	t        *testing.T
	file     string
	line     int
	twice    bool
	now      time.Time
	uid      string
	zone     *tz.Zone
	local    map[string]bool
	crashers itip.CrasherPolicy
	aliases  map[string][]ical.Address
	ask      map[string]bool // invitations are not added by themselves
	copies   map[string]map[string]*copyOf
	unseen   []parcel // sent and not yet expected
	queue    []parcel // sent and not yet delivered
	last     map[string]*itip.Result
	failure  error // of the last put
	lastPut  func()
	people   []itip.Notice                // of the last put
	consent  map[string]bool              // "alice dora": alice lets dora act
	members  map[string]bool              // "team bob": bob is in the group
	answers  map[string]bool              // whose program answers REFRESH
	busy     map[string][]freebusy.Period // when people are busy
	told     map[string]itip.Disclosure   // what they tell who asks
	counter  map[string]*ical.Calendar    // the last proposal to somebody
	invited  map[string]*ical.Calendar    // the last invitation of somebody
	outlook  map[string]bool              // whose program has Outlook's limits
	renews   map[string]bool              // whose program cannot move a series
	strict   map[string]bool              // who lets nobody delegate
	tail     *ical.Calendar               // the later part of a divided series
	token    ical.Address                 // whose reply address the message came to
	whole    bool                         // the next messages may have several components for anybody
	limit    int                          // attendees
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
		told: map[string]itip.Disclosure{}, counter: map[string]*ical.Calendar{}, invited: map[string]*ical.Calendar{}, outlook: map[string]bool{}, renews: map[string]bool{}, strict: map[string]bool{},
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
	case "crashers":
		w.crashers = itip.CrasherPolicy(strings.TrimPrefix(f[1], "ask"))
		return
	case "refreshes":
		w.answers[f[1]] = true
		return
	case "outlook":
		w.outlook[f[1]] = true
		return
	case "renews":
		w.renews[f[1]] = true
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
