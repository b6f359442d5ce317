package mail

import (
	"bufio"
	"io"
	"net"
	"strings"
	"testing"
	"time"
)

// A mail whose lines end in CR CR LF, the last of them too, is taken like any other.
func TestMailWithOddLineEnds(t *testing.T) {
	x := newSite(t, sqlite(t), "", nil)
	conn, err := net.Dial("tcp", x.listen(t, true))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	conn.SetDeadline(time.Now().Add(20 * time.Second))
	body := strings.ReplaceAll(string(answer("dan@two.test", "REQUEST", "odd", "ORGANIZER:mailto:dan@two.test", "ATTENDEE;RSVP=TRUE:mailto:ann@one.test")), "\r\n", "\r\r\n")
	r := bufio.NewReader(conn)
	for _, step := range []struct{ say, code string }{{"", "220"}, {"LHLO x\r\n", "250"}, {"MAIL FROM:<dan@two.test>\r\n", "250"}, {"RCPT TO:<ann@one.test>\r\n", "250"}, {"DATA\r\n", "354"}, {body + ".\r\n", "250"}, {"QUIT\r\n", "221"}} {
		if _, err := io.WriteString(conn, step.say); err != nil {
			t.Fatal(err)
		}
		for line := "   -"; line[3] == '-'; {
			if line, err = r.ReadString('\n'); err != nil || !strings.HasPrefix(line, step.code) {
				t.Fatalf("%.20q: %q %v, want %s", step.say, line, err, step.code)
			}
		}
	}
	if rows := x.rows(t, x.ann.ID); len(rows) != 1 || rows[0].UID != "odd" {
		t.Errorf("%+v", rows)
	}
}

// pieces is a connection on which these come, one at a time.
type pieces struct {
	net.Conn
	list []string
}

func (p *pieces) Read(b []byte) (int, error) {
	if len(p.list) == 0 {
		return 0, io.EOF
	}
	n := copy(b, p.list[0])
	p.list = p.list[1:]
	return n, nil
}

// Only the CR that hides an end goes.
func TestLineEnds(t *testing.T) {
	for _, c := range []struct {
		in   []string
		want string
	}{
		{[]string{"a\r\r\nb\r\n.\r\n"}, "a\r\r\nb\r\n.\r\n"},
		{[]string{"a\r\r\n.\r\n"}, "a\r\n.\r\n"},
		{[]string{"a\r", "\r\n.\r\n"}, "a\r\n.\r\n"},
		{[]string{"a\r\rb"}, "a\r\rb"},
		{[]string{"a\r\r", "\n.\r\n"}, "a\r\n.\r\n"},
		{[]string{"a\r\r\n", ".\r\n"}, "a\r\n.\r\n"},
		{[]string{"a", "\r", "\r", "\n", ".", "\r", "\n"}, "a\r\n.\r\n"},
		{[]string{"a\r\r\r\n.\r\n"}, "a\r\n.\r\n"},
		{[]string{"a\r\r\r", "\r", "\n.\r\n"}, "a\r\n.\r\n"},
		{[]string{"\x16\x03\x01", "\r\r\n."}, "\x16\x03\x01\r\r\n."},
	} {
		got, err := io.ReadAll(&countedConn{Conn: &pieces{list: c.in}})
		if err != nil || string(got) != c.want {
			t.Errorf("%q is read as %q (%v), want %q", c.in, got, err, c.want)
		}
	}
}
