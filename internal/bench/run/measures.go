package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

var calendarType = map[string]string{"Content-Type": "text/calendar; charset=utf-8"}

// colleagues is how many are invited at once.
const colleagues = 50

func (b *bench) ensure() error {
	if b.server != nil {
		return nil
	}
	names := []string{"anna"}
	for i := range colleagues {
		names = append(names, fmt.Sprintf("c%02d", i))
	}
	s, _, err := b.start(filepath.Join(b.dir, "data"), names...)
	b.server = s
	return err
}

// startToReady starts an empty store that exists already, five times.
func startToReady(b *bench) ([]figure, error) {
	data := filepath.Join(b.dir, "empty")
	var took []time.Duration
	var idle float64
	for i := range 6 {
		var names []string
		if i == 0 {
			names = []string{"anna"}
		}
		s, d, err := b.start(data, names...)
		if err != nil {
			return nil, err
		}
		if i > 0 {
			took = append(took, d)
		}
		if idle, err = s.memory(); err != nil {
			return nil, err
		}
		s.stop()
	}
	slices.Sort(took)
	return []figure{
		{"start to ready, median of 5", ms(took[len(took)/2]), "ms", ""},
		{"memory after start", idle, "MB", ""},
	}, nil
}

func putNew(b *bench) ([]figure, error) {
	if err := b.ensure(); err != nil {
		return nil, err
	}
	var out []figure
	for _, clients := range []int{1, 8, 16} {
		if _, _, err := b.server.do(http.DefaultClient, "anna", "MKCALENDAR", fmt.Sprintf("/dav/calendars/anna/put%d/", clients), nil, nil); err != nil {
			return nil, err
		}
		perSecond, all, err := rate(clients, func(c *http.Client, _, n int) error {
			id := clients*10_000_000 + n
			_, _, err := b.server.do(c, "anna", "PUT", fmt.Sprintf("/dav/calendars/anna/put%d/e%d.ics", clients, id), calendarType, eventText(id, false))
			return err
		})
		if err != nil {
			return nil, err
		}
		slices.Sort(all)
		out = append(out, figure{fmt.Sprintf("PUT of a new 2 KB event, %d clients (p50 %.1f, p95 %.1f, p99 %.1f ms)", clients, ms(percentile(all, .5)), ms(percentile(all, .95)), ms(percentile(all, .99))),
			perSecond, "/s", fmt.Sprintf("%.2f × bare commits", perSecond/b.base.commitsPerSecond)})
	}
	return out, nil
}

// fill imports n events, a fifth of them endless series, through the CLI.
func (b *bench) fill(calendar string, n int) error {
	var text bytes.Buffer
	text.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\n")
	for i := range n {
		one := eventText(b.next+i, i%5 == 0)
		from := bytes.Index(one, []byte("BEGIN:VEVENT"))
		text.Write(one[from : len(one)-len("END:VCALENDAR\r\n")])
	}
	b.next += n
	text.WriteString("END:VCALENDAR\r\n")
	cmd := exec.CommandContext(b.ctx, b.binary, "import", "--account", "anna@bench.test", "--calendar", calendar, "--data", b.server.data, "-")
	cmd.Stdin = &text
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("import: %w: %.500s", err, out)
	}
	return nil
}

func syncAfterOneChange(b *bench) ([]figure, error) {
	if err := b.ensure(); err != nil {
		return nil, err
	}
	var out []figure
	for _, size := range []int{1_000, 10_000, 50_000} {
		name := fmt.Sprintf("sync%d", size)
		if err := b.fill(name, size); err != nil {
			return nil, err
		}
		path := "/dav/calendars/anna/" + name + "/"
		begin := time.Now()
		token, entries, err := b.sync(path, "")
		if err != nil {
			return nil, err
		}
		initial := time.Since(begin)
		if entries < size {
			return nil, fmt.Errorf("the initial sync of %s has %d of %d members", name, entries, size)
		}
		var all []time.Duration
		for i := range 100 {
			if _, _, err := b.server.do(http.DefaultClient, "anna", "PUT", fmt.Sprintf("%schanged%d.ics", path, i), calendarType, eventText(900_000_000+size*100+i, false)); err != nil {
				return nil, err
			}
			t := time.Now()
			next, n, err := b.sync(path, token)
			if err != nil {
				return nil, err
			}
			if n != 1 {
				return nil, fmt.Errorf("a sync after one change tells %d", n)
			}
			all, token = append(all, time.Since(t)), next
		}
		slices.Sort(all)
		out = append(out,
			figure{fmt.Sprintf("sync-collection after one change, %d events (p95 %.2f ms)", size, ms(percentile(all, .95))), ms(percentile(all, .5)), "ms", ""},
			figure{fmt.Sprintf("initial sync-collection, %d events", size), ms(initial), "ms", ""})
	}
	return out, nil
}

func (b *bench) sync(path, token string) (next string, entries int, err error) {
	body := `<sync-collection xmlns="DAV:"><sync-token>` + token + `</sync-token><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>`
	text, _, err := b.server.do(http.DefaultClient, "anna", "REPORT", path, map[string]string{"Content-Type": "application/xml"}, []byte(body))
	if err != nil {
		return "", 0, err
	}
	s := string(text)
	i := strings.LastIndex(s, "sync-token>")
	if i < 0 {
		return "", 0, fmt.Errorf("no sync-token in the answer: %.300s", s)
	}
	s = s[:strings.LastIndex(s[:i], "</")]
	return s[strings.LastIndex(s, ">")+1:], strings.Count(string(text), "<d:href>"), nil
}

func monthQuery(b *bench) ([]figure, error) {
	if err := b.ensure(); err != nil {
		return nil, err
	}
	if err := b.fill("month", b.events); err != nil {
		return nil, err
	}
	query := func(extra string) ([]time.Duration, int, error) {
		body := `<c:calendar-query xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><getetag/><c:calendar-data>` + extra + `</c:calendar-data></prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT"><c:time-range start="20270301T000000Z" end="20270401T000000Z"/></c:comp-filter></c:comp-filter></c:filter></c:calendar-query>`
		var all []time.Duration
		found := 0
		for range 15 {
			t := time.Now()
			text, _, err := b.server.do(http.DefaultClient, "anna", "REPORT", "/dav/calendars/anna/month/", map[string]string{"Depth": "1", "Content-Type": "application/xml"}, []byte(body))
			if err != nil {
				return nil, 0, err
			}
			all, found = append(all, time.Since(t)), bytes.Count(text, []byte("<d:href>"))
		}
		slices.Sort(all)
		return all, found, nil
	}
	plain, found, err := query("")
	if err != nil {
		return nil, err
	}
	expanded, _, err := query(`<c:expand start="20270301T000000Z" end="20270401T000000Z"/>`)
	if err != nil {
		return nil, err
	}
	return []figure{
		{fmt.Sprintf("month query, %d events, a fifth endless series (%d found)", b.events, found), ms(percentile(plain, .5)), "ms", ""},
		{"the same with expand", ms(percentile(expanded, .5)), "ms", ""},
	}, nil
}

func inviteColleagues(b *bench) ([]figure, error) {
	if err := b.ensure(); err != nil {
		return nil, err
	}
	var all []time.Duration
	for i := range 10 {
		var e bytes.Buffer
		uid := fmt.Sprintf("meeting-%d@bench.test", i)
		fmt.Fprintf(&e, "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20250101T000000Z\r\nDTSTART:202703%02dT100000Z\r\nDTEND:202703%02dT110000Z\r\nSUMMARY:All hands\r\nORGANIZER:mailto:anna@bench.test\r\n", uid, i+1, i+1)
		for c := range colleagues {
			fmt.Fprintf(&e, "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:c%02d@bench.test\r\n", c)
		}
		e.WriteString("END:VEVENT\r\nEND:VCALENDAR\r\n")
		t := time.Now()
		if _, _, err := b.server.do(http.DefaultClient, "anna", "PUT", "/dav/calendars/anna/default/"+uid+".ics", calendarType, e.Bytes()); err != nil {
			return nil, err
		}
		all = append(all, time.Since(t))
	}
	// Right when the PUT returned: the last colleague has all ten.
	last := fmt.Sprintf("c%02d", colleagues-1)
	_, n, err := b.syncAs(last, "/dav/calendars/"+last+"/default/")
	if err != nil {
		return nil, err
	}
	if n < len(all) {
		return nil, fmt.Errorf("%s has %d of %d meetings after the PUTs returned", last, n, len(all))
	}
	slices.Sort(all)
	return []figure{{fmt.Sprintf("PUT of an invitation to %d colleagues, delivered (p95 %.1f ms)", colleagues, ms(percentile(all, .95))), ms(percentile(all, .5)), "ms", ""}}, nil
}

func (b *bench) syncAs(user, path string) (string, int, error) {
	body := `<sync-collection xmlns="DAV:"><sync-token/><sync-level>1</sync-level><prop><getetag/></prop></sync-collection>`
	text, _, err := b.server.do(http.DefaultClient, user, "REPORT", path, map[string]string{"Content-Type": "application/xml"}, []byte(body))
	return "", bytes.Count(text, []byte("<d:href>")), err
}

func memoryAndDisk(b *bench) ([]figure, error) {
	if err := b.ensure(); err != nil {
		return nil, err
	}
	before := b.server.disk()
	const n = 20_000
	if err := b.fill("disk", n); err != nil {
		return nil, err
	}
	after := b.server.disk()
	used, err := b.server.memory()
	if err != nil {
		return nil, err
	}
	return []figure{
		{"memory after all that", used, "MB", ""},
		{fmt.Sprintf("disk for each of %d imported 2 KB events", n), float64(after-before) / n / 1000, "KB", fmt.Sprintf("%.2f × their text", float64(after-before)/n/float64(len(eventText(1, false))))},
	}, nil
}
