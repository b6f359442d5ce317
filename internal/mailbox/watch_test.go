package mailbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log"
	"log/slog"
	"net"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/emersion/go-imap/v2"
	"github.com/emersion/go-imap/v2/imapclient"
	"github.com/emersion/go-imap/v2/imapserver"
	"github.com/emersion/go-imap/v2/imapserver/imapmemserver"
)

// server is an IMAP server in this process, with one user and her INBOX.
type server struct {
	t    *testing.T
	addr string
	user *imapmemserver.User

	mu    sync.Mutex
	conns []net.Conn
	wrap  func(imapserver.Session) imapserver.Session // of each new connection; nil = as it is
}

// tracking remembers connections, to cut them.
type tracking struct {
	net.Listener
	s *server
}

func (l tracking) Accept() (net.Conn, error) {
	c, err := l.Listener.Accept()
	if err == nil {
		l.s.mu.Lock()
		l.s.conns = append(l.s.conns, c)
		l.s.mu.Unlock()
	}
	return c, err
}

func (s *server) cut() {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, c := range s.conns {
		c.Close()
	}
	s.conns = nil
}

func newServer(t *testing.T, caps imap.CapSet) *server {
	t.Helper()
	s := &server{t: t, user: imapmemserver.NewUser("ann", "secret")}
	if err := s.user.Create("INBOX", nil); err != nil {
		t.Fatal(err)
	}
	mem := imapmemserver.New()
	mem.AddUser(s.user)
	srv := imapserver.New(&imapserver.Options{
		NewSession: func(*imapserver.Conn) (imapserver.Session, *imapserver.GreetingData, error) {
			session := mem.NewSession()
			s.mu.Lock()
			defer s.mu.Unlock()
			if s.wrap != nil {
				session = s.wrap(session)
			}
			return session, nil, nil
		},
		Caps:         caps,
		InsecureAuth: true,
		Logger:       log.New(io.Discard, "", 0),
	})
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	go srv.Serve(tracking{l, s})
	t.Cleanup(func() { srv.Close() })
	s.addr = l.Addr().String()
	return s
}

type literal struct {
	*strings.Reader
	n int64
}

func (l literal) Size() int64 { return l.n }

func (s *server) add(text string) {
	s.t.Helper()
	if _, err := s.user.Append("INBOX", literal{strings.NewReader(text), int64(len(text))}, &imap.AppendOptions{}); err != nil {
		s.t.Fatal(err)
	}
}

// flags lists the flags of each message.
func (s *server) flags() []string {
	s.t.Helper()
	c, err := imapclient.DialInsecure(s.addr, nil)
	if err != nil {
		s.t.Fatal(err)
	}
	defer c.Close()
	if err := c.Login("ann", "secret").Wait(); err != nil {
		s.t.Fatal(err)
	}
	if _, err := c.Select("INBOX", &imap.SelectOptions{ReadOnly: true}).Wait(); err != nil {
		s.t.Fatal(err)
	}
	list, err := c.Fetch(imap.SeqSet{{Start: 1, Stop: 0}}, &imap.FetchOptions{Flags: true}).Collect()
	if err != nil {
		s.t.Fatal(err)
	}
	var out []string
	for _, m := range list {
		var f []string
		for _, flag := range m.Flags {
			f = append(f, strings.ToLower(string(flag)))
		}
		out = append(out, strings.Join(f, " "))
	}
	return out
}

func mail(subject, contentType string) string {
	return "From: dan@two.test\r\nTo: ann@one.test\r\nSubject: " + subject + "\r\nMIME-Version: 1.0\r\nContent-Type: " + contentType + "\r\n\r\nBEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n"
}

// inbox collects what the intake was given.
type inbox struct {
	got   chan string
	last  string
	fails func(subject string) error
}

func (i *inbox) take(_ context.Context, raw []byte, to string) error {
	_, rest, _ := bytes.Cut(raw, []byte("Subject: "))
	subject, _, _ := bytes.Cut(rest, []byte("\r\n"))
	if i.fails != nil {
		if err := i.fails(string(subject)); err != nil {
			return err
		}
	}
	i.got <- string(subject) + " for " + to
	return nil
}

// expect waits for mails in their order. A connection that is cut before a mail
// was marked gives it once more; the intake knows it then.
func (i *inbox) expect(t *testing.T, want ...string) {
	t.Helper()
	for n := 0; n < len(want); {
		w := want[n]
		select {
		case got := <-i.got:
			if got == w {
				n++
				i.last = got
			} else if got != i.last {
				t.Fatalf("got %q, want %q", got, w)
			}
		case <-time.After(time.Minute): // a bound for a test that hangs, not a measure
			t.Fatalf("nothing came, want %q", w)
		}
	}
}

func (s *server) watch(t *testing.T, i *inbox, change func(*Options)) (stop func()) {
	t.Helper()
	i.got = make(chan string, 100)
	o := Options{Box: Box{Address: s.addr, TLS: "none", User: "ann", Password: "secret", Folder: "INBOX", To: "ann@one.test", Since: defaultSince},
		Intake: i.take, MaxSize: 10_000, Retry: time.Millisecond, Now: time.Now, Log: slog.New(slog.NewTextHandler(io.Discard, nil))}
	if change != nil {
		change(&o)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() { defer close(done); Watch(ctx, o) }()
	stop = func() { cancel(); <-done }
	t.Cleanup(stop)
	return stop
}

var idle = imap.CapSet{imap.CapIMAP4rev1: {}, imap.CapIdle: {}}

func TestWatch(t *testing.T) {
	for name, caps := range map[string]imap.CapSet{"IDLE": idle, "poll": {imap.CapIMAP4rev1: {}}} {
		t.Run(name, func(t *testing.T) {
			s := newServer(t, caps)
			s.add(mail("old invitation", "text/calendar; method=REQUEST"))
			s.add(mail("lunch?", "text/plain"))
			s.add(mail("signed", "application/pkcs7-mime"))
			s.add(mail("file", `application/octet-stream; name="x.ics"`))
			s.add(mail("huge", "text/calendar") + strings.Repeat("x", 20_000))
			i := &inbox{}
			stop := s.watch(t, i, func(o *Options) {
				if name == "poll" {
					o.Poll = 10 * time.Millisecond
				}
			})
			i.expect(t, "old invitation for ann@one.test", "signed for ann@one.test", "file for ann@one.test")
			s.add(mail("new invitation", "text/calendar; method=REQUEST"))
			i.expect(t, "new invitation for ann@one.test")
			s.cut()
			s.add(mail("after the cut", "text/calendar; method=REQUEST"))
			i.expect(t, "after the cut for ann@one.test")
			s.add(mail("last", "text/calendar; method=REQUEST"))
			i.expect(t, "last for ann@one.test")
			stop()
			for n, f := range s.flags()[:6] {
				if f != "$convene" {
					t.Errorf("message %d has the flags %q, want only $Convene: it must stay unread", n+1, f)
				}
			}
		})
	}
}

func TestAFailingIntakeIsTriedAgain(t *testing.T) {
	s := newServer(t, idle)
	s.add(mail("bad luck", "text/calendar"))
	s.add(mail("not ours", "text/calendar"))
	s.add(mail("good", "text/calendar"))
	tries := 0
	i := &inbox{fails: func(subject string) error {
		switch {
		case subject == "not ours":
			return ErrNotOurs
		case subject == "bad luck" && tries < 2:
			tries++
			return errors.New("disk full")
		}
		return nil
	}}
	s.watch(t, i, func(o *Options) { o.Poll = 10 * time.Millisecond })
	i.expect(t, "good for ann@one.test", "bad luck for ann@one.test")
	if tries != 2 {
		t.Errorf("%d tries", tries)
	}
}

func TestAWrongPasswordIsTriedAgain(t *testing.T) {
	s := newServer(t, idle)
	s.add(mail("invitation", "text/calendar"))
	var out bytes.Buffer
	lines := make(chan string, 100)
	i := &inbox{}
	stop := s.watch(t, i, func(o *Options) {
		o.Box.Password = "wrong word"
		o.Log = slog.New(slog.NewTextHandler(writer(func(p []byte) { out.Write(p); lines <- string(p) }), nil))
	})
	<-lines
	<-lines
	stop()
	if text := out.String(); !strings.Contains(text, "ann at "+s.addr+"/INBOX") || strings.Contains(text, "wrong word") {
		t.Errorf("the log says %s", text)
	}
	if len(i.got) > 0 {
		t.Errorf("got %q", <-i.got)
	}
}

type writer func([]byte)

func (w writer) Write(p []byte) (int, error) { w(p); return len(p), nil }

func TestParseBox(t *testing.T) {
	for s, want := range map[string]Box{
		"imaps://ann:pw@mail.one.test":                                    {"mail.one.test:993", "implicit", "ann", "pw", "INBOX", "", defaultSince, 0},
		"imaps://ann%40one.test:p%2Fw@mail.one.test:9993/Cal/In?to=x@y.z": {"mail.one.test:9993", "implicit", "ann@one.test", "p/w", "Cal/In", "x@y.z", defaultSince, 0},
		"imap://ann:pw@mail.one.test?since=2&poll=20":                     {"mail.one.test:143", "starttls", "ann", "pw", "INBOX", "", 48 * time.Hour, 20 * time.Second},
		"imap://ann:pw@[::1]:1430?tls=none":                               {"[::1]:1430", "none", "ann", "pw", "INBOX", "", defaultSince, 0},
	} {
		if got, err := ParseBox(s); err != nil || got != want {
			t.Errorf("%s: %+v, %v", s, got, err)
		}
	}
	for _, s := range []string{"", "mail.one.test", "pop://a:b@c", "imaps://mail.one.test", "imap://a:b@c?tls=maybe", "imaps://a:b@c?since=x", "imaps://a:b@c?poll=0", "imaps://a:secret@c:port"} {
		if _, err := ParseBox(s); err == nil || strings.Contains(err.Error(), "secret") {
			t.Errorf("%s: %v", s, err)
		}
	}
}

// mute is a server that tells nothing during IDLE.
type mute struct {
	imapserver.Session
	begins func()
}

func (m mute) Idle(_ *imapserver.UpdateWriter, stop <-chan struct{}) error {
	m.begins()
	<-stop
	return nil
}

func TestWhatComesBeforeIDLEIsFound(t *testing.T) {
	s := newServer(t, idle)
	late := sync.OnceFunc(func() { s.add(mail("second", "text/calendar")) })
	s.mu.Lock()
	s.wrap = func(session imapserver.Session) imapserver.Session { return mute{session, late} }
	s.mu.Unlock()
	s.add(mail("first", "text/calendar"))
	i := &inbox{}
	s.watch(t, i, nil)
	i.expect(t, "first for ann@one.test")
	i.expect(t, "second for ann@one.test")
}
