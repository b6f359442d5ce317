package cip

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/journal"
	"github.com/convene-cal/convene/internal/store"
)

// elsewhere is a transport of another kind, like mail.
type elsewhere struct {
	mu  sync.Mutex
	got []string
}

func (*elsewhere) Name() string { return "mail" }

func (*elsewhere) Accepts(_ context.Context, to ical.Address) bool { return to.Email() != "" }

// letters are what it carried, sorted.
func (e *elsewhere) letters() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Sorted(slices.Values(e.got))
}

func (e *elsewhere) Send(_ context.Context, batch []*store.Entry) (out []journal.Outcome) {
	e.mu.Lock()
	defer e.mu.Unlock()
	for _, m := range batch {
		e.got = append(e.got, m.Method+" "+m.UID)
		out = append(out, journal.Outcome{State: journal.Sent})
	}
	return out
}

func TestFallsBackToMail(t *testing.T) {
	noDNS := &names{}
	for _, tt := range []struct {
		name, to  string
		configure func(*Options)
		more      string
		attempts  string // transports of the attempts
	}{
		{"three failures", "ben@b.test", func(o *Options) { o.Peers = []Peer{{ServerID: "b.test", Address: "127.0.0.1:1"}} }, "", "cip cip cip mail"},
		{"long enough", "ben@b.test", func(o *Options) {
			o.Peers = []Peer{{ServerID: "b.test", Address: "127.0.0.1:1"}}
			o.FallbackAfter = time.Nanosecond
		}, "", "cip mail"},
		{"no CIP there", "ben@b.test", func(o *Options) { o.Discover = true }, "", "cip mail"},
		{"not looked for", "ben@b.test", nil, "", "mail"},
		{"said to have none", "ben@none.test", func(o *Options) { o.Discover = true }, "", "cip mail"},
		{"a changed occurrence", "ben@b.test", func(o *Options) { o.Peers = []Peer{{ServerID: "b.test", Address: "127.0.0.1:1"}} },
			"RRULE:FREQ=DAILY;COUNT=3\n", "cip mail"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			mail := &elsewhere{}
			a := start(t, "a.test", []string{"ann"}, func(o *Options) {
				o.Resolver = noDNS
				if tt.configure != nil {
					tt.configure(o)
				}
			}, mail)
			a.courier()
			text := meetingText("1@a.test", "ann@a.test", "SUMMARY:x\n"+tt.more, tt.to)
			if tt.more != "" {
				override := strings.ReplaceAll(text[strings.Index(text, "BEGIN:VEVENT"):strings.Index(text, "END:VCALENDAR")], tt.more, "RECURRENCE-ID:20290602T100000Z\n")
				text = strings.Replace(text, "END:VCALENDAR", strings.ReplaceAll(override, "20290601T", "20290602T")+"END:VCALENDAR", 1)
			}
			a.put("ann", "1.ics", text)
			var row store.Entry
			eventually(t, "it has gone by mail", func() (bool, string) {
				rows := a.rows(store.EntryFilter{})
				row = rows[0]
				return row.State == journal.Sent, fmt.Sprintf("%+v", rows)
			})
			var got []string
			for _, at := range row.Attempts {
				got = append(got, at.Transport)
			}
			if s := strings.Join(got, " "); s != tt.attempts {
				t.Errorf("attempts by %s, want %s: %+v", s, tt.attempts, row.Attempts)
			}
			if len(mail.got) == 0 || tt.more == "" && len(mail.got) != 1 {
				t.Errorf("mail carried %q", mail.got)
			}
		})
	}
}
