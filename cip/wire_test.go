package cip

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/convene-cal/convene/ical/freebusy"
)

var update = flag.Bool("update", false, "write golden files anew")

func periods(from time.Time) []freebusy.Period {
	return []freebusy.Period{
		{From: from.Add(time.Hour), To: from.Add(2 * time.Hour), Type: freebusy.BusyTime},
		{From: from.Add(3 * time.Hour), To: from.Add(4 * time.Hour), Type: freebusy.Tentative},
		{From: from.Add(5 * time.Hour), To: from.Add(6 * time.Hour), Type: freebusy.Unavailable},
	}
}

// house is a Session of one user, ben@b.test, and the password "secret".
type house struct {
	who    string
	events int
	waits  int
}

func (h *house) Wait(bool) { h.waits++ }
func (h *house) Login(_ context.Context, identity, password string) bool {
	if h.who = ""; password == "secret" {
		h.who = identity
	}
	return h.who != ""
}
func (h *house) StartTLS(context.Context) (func() (io.ReadWriter, error), bool) { return nil, false }
func (h *house) Reading() Reading                                               { return at }
func (h *house) SendEvent(_ context.Context, e *Event) Reply {
	r := Reply{Code: CodeNone}
	for _, w := range e.Attendees {
		switch w.ID {
		case "ben@b.test":
			r.OK = true
			h.events++
			r.Infos = append(r.Infos, Info{Code: Tentative, ID: w.ID})
		case "moved@b.test":
			r.Infos = append(r.Infos, Info{Code: Redirect, Kind: RedirectUser, ID: w.ID, New: "ben@b.test"})
		default:
			r.Infos = append(r.Infos, Info{Code: NotFound, ID: w.ID})
		}
	}
	return r
}
func (h *house) Answer(_ context.Context, a *Answer) Reply {
	return Reply{OK: true, Infos: []Info{{Code: Confirmed, ID: a.Attendee.ID}}}
}
func (h *house) FreeBusy(_ context.Context, q *Query) (Reply, []Busy) {
	var list []Busy
	r := Reply{}
	for _, w := range q.Attendees {
		if w.ID == "ben@b.test" {
			list = append(list, Busy{Attendee: w, Periods: periods(q.From)})
			r.OK = true
		} else {
			r.Infos = append(r.Infos, Info{Code: NotFound, ID: w.ID})
		}
	}
	if r.OK && len(r.Infos) > 0 {
		r.Code = CodePartial
	}
	return r, list
}

// pipe is a connection whose input is known beforehand.
type pipe struct {
	io.Reader
	bytes.Buffer
}

func (p *pipe) Read(b []byte) (int, error)  { return p.Reader.Read(b) }
func (p *pipe) Write(b []byte) (int, error) { return p.Buffer.Write(b) }

func converse(t testing.TB, input string) (string, *house, error) {
	h := &house{}
	p := &pipe{Reader: strings.NewReader(input)}
	err := Serve(t.Context(), p, "b.test", h, Limits{})
	return p.Buffer.String(), h, err
}

// Each file holds what a client says (C:) and what it is answered (S:).
func TestTranscripts(t *testing.T) {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil || len(files) == 0 {
		t.Fatal("no transcripts", err)
	}
	for _, file := range files {
		t.Run(filepath.Base(file), func(t *testing.T) {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			var script []string
			h := &house{}
			in, out := io.Pipe()
			answers := &waiting{got: make(chan []byte, 100)}
			done := make(chan error, 1)
			go func() {
				done <- Serve(t.Context(), struct {
					io.Reader
					io.Writer
				}{in, answers}, "b.test", h, Limits{})
				close(answers.got)
			}()
			take := func() {
				for line := range strings.Lines(string(<-answers.got)) {
					script = append(script, "S: "+strings.TrimRight(line, "\r\n"))
				}
			}
			take()
			inData := false
			for line := range strings.Lines(string(text)) {
				line = strings.TrimRight(line, "\n")
				if strings.HasPrefix(line, "#") {
					script = append(script, line)
				}
				said, ok := strings.CutPrefix(line, "C: ")
				if !ok {
					continue
				}
				script = append(script, line)
				fmt.Fprint(out, strings.ReplaceAll(said, `\xe9`, "\xe9"), "\r\n")
				if inData = !inData && strings.HasSuffix(said, "+") && !strings.HasPrefix(said, "AUTH") || inData && said != "."; !inData {
					take()
				}
			}
			out.Close()
			if err := <-done; err != nil && !errors.Is(err, io.ErrClosedPipe) {
				script = append(script, "# ended: "+err.Error())
			}
			got := strings.Join(script, "\n") + "\n"
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if want := string(text); got != want && !*update {
				t.Errorf("got\n%s\nwant\n%s", got, want)
			}
		})
	}
}

type waiting struct{ got chan []byte }

func (w *waiting) Write(b []byte) (int, error) {
	w.got <- bytes.Clone(b)
	return len(b), nil
}

func TestHostileInput(t *testing.T) {
	event := "UID:1@a.test\r\nSEQUENCE:1\r\nDTSTART:20270101T100000Z\r\nATTENDEE;ROLE=OWNER:ann@a.test\r\nATTENDEE:ben@b.test\r\n"
	for _, tt := range []struct {
		name, in, want string // want: the completions' first six octets
	}{
		{"a command without its end is none", "FOO", ""},
		{"LF alone", "FOO\nSENDEVENT +\n" + strings.ReplaceAll(event, "\r", "") + ".\n", "NO 001 OK 000"},
		{"long command line", strings.Repeat("x", 5000) + "\r\nFOO\r\n", "NO 001 NO 001"},
		{"of exactly the limit", strings.Repeat("x", 1024) + "\r\nFOO\r\n", "NO 001 NO 001"},
		{"endless command line", strings.Repeat("x", 9<<20), "NO 001"},
		{"long command line with data", strings.Repeat("x", 5000) + " +\r\nFOO\r\nBAR\r\n.\r\nSENDEVENT+\r\n" + event + ".\r\n", "NO 001 OK 000"},
		{"long line of data", "SENDEVENT +\r\n" + event + "X-A:" + strings.Repeat("x", 9000) + "\r\n.\r\nFOO\r\n", "NO 001 NO 001"},
		{"data of 1 MiB and one octet", "SENDEVENT +\r\n" + event + strings.Repeat("X:"+strings.Repeat("y", 100)+"\r\n", 11000) + ".\r\nSENDEVENT +\r\n" + event + ".\r\n", "NO 001 OK 000"},
		{"data without end", "SENDEVENT +\r\n" + strings.Repeat("X:y\r\n", 2<<20), "NO 001"},
		{"end of input in data", "SENDEVENT +\r\n" + event, ""},
		{"unknown command with data", "FOO +\r\nx\r\n.\r\nBAR\r\n", "NO 001 NO 001"},
		{"QUIT is not known", "QUIT\r\n", "NO 001"},
		{"commands out of turn", "UID:1\r\n.\r\nSENDEVENT\r\n", "NO 001 NO 001 NO 001"},
		{"a tab", "SENDEVENT\t+\r\n" + event + ".\r\n", "OK 000"},
		{"an argument", "SENDEVENT now +\r\n" + event + ".\r\n", "NO 001"},
		{"empty lines", "\r\n\r\n", "NO 001 NO 001"},
		{"three wrong passwords", "AUTHENTICATE LOGIN a.test x\r\nAUTHENTICATE LOGIN a.test +\r\nAUTHENTICATE LOGIN a.test secret \r\nAUTHENTICATE LOGIN a.test secret\r\n", "NO 000 NO 000 OK 000 OK 000"},
		{"three wrong passwords in a row", "AUTHENTICATE LOGIN a.test x\r\nAUTHENTICATE LOGIN a.test y\r\nAUTHENTICATE LOGIN a.test z\r\nFOO\r\n", "NO 000 NO 000 NO 000"},
		{"unknown mechanism", "AUTHENTICATE KERBEROS x\r\nAUTHENTICATE\r\nAUTHENTICATE LOGIN a\r\nAUTHENTICATE X-STARTTLS\r\n", "NO 001 NO 001 NO 001 NO 000"},
		{"a hundred thousand attendees", "SENDEVENT +\r\n" + event + strings.Repeat("ATTENDEE:a@b\r\n", 70_000) + ".\r\nFOO\r\n", "NO 001 NO 001"},
		{"an endless UID", "SENDEVENT +\r\nUID:1\r\n" + strings.Repeat("x\r\n", 300_000) + ".\r\n", "NO 001"},
		{"an endless address", "SENDEVENT +\r\n" + event + "ATTENDEE:x\r\n" + strings.Repeat("x\r\n", 300_000) + ".\r\n", "OK 000"},
		{"an endless fold", "SENDEVENT +\r\n" + event + "SUMMARY:x\r\n" + strings.Repeat(" x\r\n", 200_000) + ".\r\n", "OK 000"},
		{"NUL and escapes", "SEND\x00EVENT +\r\n\x1b\x00\r\n.\r\n\xff\xfe\r\n", "NO 001 NO 001"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			out, _, _ := converse(t, tt.in)
			var got []string
			for line := range strings.Lines(out) {
				if !strings.HasPrefix(line, "*") && !strings.HasPrefix(line, "OK CIP") {
					got = append(got, line[:6])
				}
			}
			if s := strings.Join(got, " "); s != tt.want {
				t.Errorf("got %q, want %q", s, tt.want)
			}
		})
	}
}

func TestGreeting(t *testing.T) {
	for _, tt := range []struct {
		line string
		want error
	}{
		{"OK CIP 1.0 b.test", nil}, {"ok cip 1.7 b.test", nil}, {"OK CIP 1.0", nil}, {"OK CIP 1.00000 x", nil},
		{"OK CIP 2.0 x", ErrVersion}, {"OK CIP 0.9 x", ErrVersion}, {"OK CIP 10.0 x", ErrVersion}, {"OK CIP 1.9 b.test", nil},
		{"NO 000 Service not available", ErrUnavailable}, {"220 mail", ErrUnavailable}, {"OK CIP one", ErrUnavailable}, {"OK CIP 1.123456 x", ErrUnavailable}, {"", ErrUnavailable},
	} {
		p := &pipe{Reader: strings.NewReader(tt.line + "\r\n")}
		_, err := NewClient(p)
		if !errors.Is(err, tt.want) || tt.want == nil && err != nil {
			t.Errorf("%q: %v, want %v", tt.line, err, tt.want)
		}
		if p.Buffer.Len() > 0 {
			t.Errorf("%q: the client wrote %q", tt.line, p.Buffer.String())
		}
	}
}

func TestClientReadsAnswers(t *testing.T) {
	for _, tt := range []struct{ name, in, want string }{
		{"completion alone", "OK 000 fine\r\n", "true 0 fine [] "},
		{"no code", "NO too bad\r\n", "false 0 too bad [] "},
		{"nothing but the word", "OK\r\n", "true 0  [] "},
		{"information", "* NOTFOUND  <a@b>\r\n* TENTATIVE c@d\r\n* NEWS of the day\r\nOK 003\r\n", "true 3  [* NOTFOUND a@b * TENTATIVE c@d * NEWS of the day] "},
		{"redirect", "* REDIRECT USER <a@b> IS NOW c@d\r\nNO 000\r\n", "false 0  [* REDIRECT USER a@b IS NOW c@d] "},
		{"a go-ahead", "+\r\n* CONFIRMED a@b\r\nOK 000\r\n", "true 0  [* CONFIRMED a@b] "},
		{"a go-ahead and data", "+\r\n+\r\nATTENDEE:a@b\r\n..\r\n.\r\nOK 000\r\n", "true 0  [] ATTENDEE:a@b\r\n.\r\n"},
		{"no data", "+\r\n.\r\nOK 000\r\n", "true 0  [] "},
		{"nonsense", "HELLO\r\n", "error"},
		{"cut off", "* NOTFOUND a@b\r\n", "error"},
		{"endless", strings.Repeat("x", 2<<20), "error"},
		{"endless information", strings.Repeat("* A b\r\n", 30000), "error"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			c, err := NewClient(&pipe{Reader: strings.NewReader("OK CIP 1.0 x\r\n" + tt.in)})
			if err != nil {
				t.Fatal(err)
			}
			r, err := c.FreeBusy([]byte("x"))
			got := fmt.Sprint(r.OK, r.Code, " ", r.Text, " ", r.Infos, " ", string(r.Data))
			if err != nil {
				got = "error"
			}
			if got != tt.want {
				t.Errorf("got %q (%v), want %q", got, err, tt.want)
			}
		})
	}
}

func FuzzServe(f *testing.F) {
	f.Add("AUTHENTICATE LOGIN a.test secret\r\nSENDEVENT +\r\n" + strings.ReplaceAll(broken, "\n", "\r\n") + ".\r\n")
	f.Add("RSVP+\r\nUID:1@a.test\r\nATTENDEE;STATUS=ACCEPTED:ben@b.test\r\n.\r\nFREEBUSY +\r\nDTSTART:20270101T000000Z\r\nDTEND:20270102T000000Z\r\nATTENDEE:ben@b.test\r\n..\r\n.\r\n")
	f.Add("SENDEVENT +\r\nBEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:CANCEL\r\nBEGIN:VTODO\r\nUID:1\r\nORGANIZER:mailto:a@b.test\r\nEND:VTODO\r\nEND:VCALENDAR\r\n.\r\n")
	f.Fuzz(func(t *testing.T, in string) {
		h := &house{}
		p := &pipe{Reader: strings.NewReader(in)}
		_ = Serve(t.Context(), p, "b.test", h, Limits{Data: 4096, Line: 512, Drain: 8192})
		// Whatever came, the answers are lines a client understands.
		c, err := NewClient(&pipe{Reader: bytes.NewReader(p.Buffer.Bytes())})
		if err != nil {
			t.Fatal(err)
		}
		for {
			_, err := c.answer()
			if errors.Is(err, io.ErrUnexpectedEOF) {
				break
			}
			if err != nil {
				t.Fatalf("%v\n%q", err, p.Buffer.String())
			}
		}
	})
}
