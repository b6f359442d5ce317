package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"
)

// dial opens a connection that the test's end closes.
func (s *service) dial() net.Conn {
	s.t.Helper()
	c, err := net.Dial("tcp", s.http)
	if err != nil {
		s.t.Fatal(err)
	}
	c.SetDeadline(time.Now().Add(time.Minute))
	s.t.Cleanup(func() { c.Close() })
	return c
}

// raw sends octets as they are and reads the answer up to its end.
func (s *service) raw(text string) string {
	s.t.Helper()
	c := s.dial()
	io.WriteString(c, text)
	answer, err := io.ReadAll(c)
	if errors.Is(err, os.ErrDeadlineExceeded) {
		s.t.Errorf("no answer to %.200q", text)
	}
	return string(answer)
}

// What only a socket can send: paths, headers and bodies that no client library
// lets through. Each has one answer, and nothing of another account is in it.
func TestRawRequests(t *testing.T) {
	t.Parallel()
	s := newService(t, "example.test", []string{"alice", "bob"}).start()
	at := "/dav/calendars/alice/default/"
	s.expect(201, s.do("alice", "PUT", at+"a.ics", event("raw-a", "DTSTART:20270401T100000Z\nSUMMARY:alice's"), "Content-Type", "text/calendar"))
	s.expect(201, s.do("bob", "PUT", "/dav/calendars/bob/default/b.ics", event("raw-b", "DTSTART:20270401T100000Z\nSUMMARY:secret-of-bob"), "Content-Type", "text/calendar"))
	auth := "Authorization: Basic " + basic("alice", "alice")
	const xml = "Content-Type: application/xml"
	prop := `<propfind xmlns="DAV:"><prop><displayname/></prop></propfind>`
	for _, tt := range []struct {
		line, head, body, want string // want: a pattern for status line and body
	}{
		{"GET /dav/calendars/alice/../bob/default/b.ics", "", "", "^400"},
		{"GET /dav/calendars/alice/%2e%2e/bob/default/b.ics", "", "", "^400"},
		{"GET /dav/calendars/alice/default/..%2f..%2fbob%2fdefault%2fb.ics", "", "", "^400"},
		{"GET /dav/calendars/alice/default/%2e%2e%5c..%5cbob/b.ics", "", "", "^40[04]"},
		{"GET " + at + "%c0%ae%c0%ae/%c0%af", "", "", "^400"},
		{"GET " + at + "a%00.ics", "", "", "^400"},
		{"GET " + at + "%zz", "", "", "^400"},
		{"GET " + at + "a.ics;v=1", "", "", "^404"},
		{"GET " + at + "a\\..\\b.ics", "", "", "^404"},
		{"GET http://evil.test" + at + "a.ics", "", "", "^200.*alice's"},
		{"PROPFIND *", "", "", "^40"},
		{"OPTIONS *", "", "", "^200"},
		{"get " + at + "a.ics", "", "", "^501"},
		{"FROB " + at + "a.ics", "", "", "^501"},
		{"TRACE " + at + "a.ics", "", "", "^405"},
		{"GET " + at + "a.ics", "Host: evil.test", "", "^400"}, // two hosts
		{"MOVE " + at + "a.ics", "Destination: " + at + "x.ics\r\nDestination: /dav/calendars/bob/default/x.ics", "", "^400.*Destination"},
		{"PROPFIND " + at, "Depth: 0\r\nDepth: infinity\r\n" + xml, prop, "^400.*Depth"},
		{"PROPFIND " + at, "Depth: 0\r\nDepth: 0\r\n" + xml, prop, "^207"},
		{"PROPFIND " + at, "Authorization: Basic " + basic("bob", "bob") + "\r\nDepth: 0\r\n" + xml, prop, "^400.*Authorization"},
		{"PROPFIND " + at, "X-HTTP-Method-Override: DELETE\r\nX-Original-URL: /dav/calendars/bob/default/\r\nX-Forwarded-Host: evil.test\r\nForwarded: host=evil.test\r\nDepth: 0\r\n" + xml, prop, "^207.*<d:href>" + at + "</d:href>"},
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, `<?xml version="1.0" encoding="klingon"?>` + prop, "^415"},
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, "\xff\xfe" + utf16(prop), "^207"},
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, `<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>` + strings.Replace(prop, "<displayname/>", "&a;", 1), "^400"},
		{"PROPFIND " + at, "Depth: 0\r\n" + xml, strings.Repeat("<a>", 100_000), "^413"},
		{"PROPFIND " + at, "Depth: 0\r\nContent-Encoding: gzip\r\n" + xml, "\x1f\x8b", "^415"},
		{"PUT " + at + "c.ics", "Content-Type: text/calendar\r\nContent-Range: bytes 0-3/10", "BEGI", "^400"},
		{"PUT " + at + "c.ics", "Content-Type: text/calendar\r\nExpect: tea", "x", "^417"},
		{"PUT " + at + "c.ics", "Content-Type: text/calendar\r\nTransfer-Encoding: gzip, chunked", "", "^501"},
		{"PUT " + at + "c.ics", "Content-Type: text/calendar\r\nIf: (<urn:x>", "x", "^400.*If header"},
		{"PUT " + at + "a.ics", "Content-Type: text/calendar\r\nIf: (<urn:uuid:stale>)", event("raw-a", "DTSTART:20270401T100000Z"), "^412"},
		{"LOCK " + at + "a.ics", "If: (<urn:uuid:stale>)\r\nTimeout: Second-99999999999999999999", "", "^412.*lock-token-matches-request-uri"},
		{"UNLOCK " + at + "a.ics", "Lock-Token: <urn:uuid:stale>", "", "^409.*lock-token-matches-request-uri"},
		{"COPY " + at + "a.ics", "Destination: " + at + "a.ics", "", "^403"},
		{"COPY " + at + "a.ics", "Destination: ftp://127.0.0.1" + at + "z.ics", "", "^502"},
		{"COPY " + at + "a.ics", "Destination: //evil.test" + at + "z.ics", "", "^502"},
		{"COPY " + at + "a.ics", "Destination: " + at + "..%2f..%2fbob%2fdefault/z.ics", "", "^400"},
		{"COPY " + at + "a.ics", "Destination: /dav/calendars/bob/default/z.ics", "", "^40[349]"},
		{"MOVE " + at + "a.ics", "Destination: " + at + "z.ics\r\nOverwrite: maybe", "", "^400"},
		{"GET " + at + "a.ics", `If-None-Match: W/"x", "y", *`, "", "^304"},
		{"GET " + at + "a.ics", "Range: bytes=0-3", "", "^(200|206)"},
		{"GET " + at, "X: " + strings.Repeat("a", 100_000), "", "^431"},
	} {
		head := tt.head
		if strings.Contains(head, "Transfer-Encoding") {
		} else if tt.body != "" || strings.HasPrefix(tt.line, "PUT") {
			head += fmt.Sprintf("\r\nContent-Length: %d", len(tt.body))
		}
		answer := s.raw(tt.line + " HTTP/1.1\r\nHost: " + s.http + "\r\n" + auth + "\r\nConnection: close\r\n" + strings.TrimPrefix(head+"\r\n", "\r\n") + "\r\n" + tt.body)
		got := strings.TrimPrefix(answer, "HTTP/1.1 ")
		if ok, err := regexp.MatchString("(?s)"+tt.want, got); err != nil || !ok {
			t.Errorf("%s, %.100q:\n%.700s\nwant %s", tt.line, tt.head, answer, tt.want)
		}
		for _, never := range []string{"secret-of-bob", "evil.test\"", "goroutine"} {
			if strings.Contains(answer, never) {
				t.Errorf("%s: the answer has %s:\n%.900s", tt.line, never, answer)
			}
		}
	}
	if r := s.do("alice", "GET", at+"a.ics", ""); r.status != 200 || !strings.Contains(r.body, "alice's") {
		t.Errorf("afterwards: %d %s", r.status, r.body)
	}
}

// utf16 is little-endian.
func utf16(s string) string {
	var b strings.Builder
	for _, c := range []byte(s) {
		b.WriteByte(c)
		b.WriteByte(0)
	}
	return b.String()
}

// A body of 100 MB is refused before it has come, however it is sent.
func TestBodiesOf100MB(t *testing.T) {
	t.Parallel()
	s := newService(t, "example.test", []string{"alice"}).start()
	auth := "Authorization: Basic " + basic("alice", "alice") + "\r\n"
	for _, tt := range []struct {
		line, head string
		chunked    bool
		status     string
	}{
		{"PUT /dav/calendars/alice/default/a.ics", auth + "Content-Type: text/calendar\r\n", false, "403"},
		{"PUT /dav/calendars/alice/default/a.ics", auth + "Content-Type: text/calendar\r\n", true, "403"},
		{"PROPFIND /dav/calendars/alice/default/", auth + "Content-Type: application/xml\r\n", true, "413"},
		{"REPORT /dav/calendars/alice/default/", auth + "Content-Type: application/xml\r\n", false, "413"},
		{"POST /dav/calendars/alice/outbox/", auth + "Content-Type: text/calendar\r\n", true, "403"},
		{"PUT /dav/calendars/alice/default/a.ics", "Content-Type: text/calendar\r\n", true, "401"},
		{"DELETE /dav/calendars/alice/default/none.ics", auth, true, "404"},
	} {
		c := s.dial()
		head := tt.line + " HTTP/1.1\r\nHost: x\r\n" + tt.head
		piece := strings.Repeat("x", 1<<16)
		if tt.chunked {
			head += "Transfer-Encoding: chunked\r\n\r\n"
			piece = fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece)
		} else {
			head += "Content-Length: 104857600\r\n\r\n"
		}
		answer := make(chan string, 1)
		go func() {
			b := make([]byte, 12)
			io.ReadFull(c, b)
			answer <- string(b)
		}()
		_, err := io.WriteString(c, head)
		sent := 0
		for err == nil && sent < 100<<20 {
			_, err = io.WriteString(c, piece)
			sent += 1 << 16
		}
		if got := <-answer; got != "HTTP/1.1 "+tt.status {
			t.Errorf("%s: %q, want %s", tt.line, got, tt.status)
		}
		if sent > 40<<20 {
			t.Errorf("%s: %d MB were taken", tt.line, sent>>20)
		}
	}
}

// Someone who opens connections and says nothing, or half a request, has few of
// them and not for long; others are served meanwhile.
func TestHalfOpenConnections(t *testing.T) {
	t.Parallel()
	s := newService(t, "example.test", []string{"alice"}, "CONVENE_HTTP_CONNECTIONS_PER_ADDRESS=40").start()
	var open []net.Conn
	for i := range 40 {
		c := s.dial()
		if i%2 == 0 {
			io.WriteString(c, "PROPFIND /dav/ HTTP/1.1\r\nHost: x\r\nAuthoriz")
		}
		open = append(open, c)
	}
	// The next one is closed at once: the ration is used up.
	refused := s.dial()
	if _, err := refused.Read(make([]byte, 1)); err == nil || errors.Is(err, os.ErrDeadlineExceeded) {
		t.Errorf("a connection beyond the ration: %v", err)
	}
	// All of them end by themselves, in the ten seconds that a header has.
	for _, c := range open {
		if _, err := io.ReadAll(c); errors.Is(err, os.ErrDeadlineExceeded) {
			t.Fatal("a connection without a request is still open after a minute")
		}
	}
	s.expect(207, s.do("alice", "PROPFIND", "/dav/", "", "Depth", "0"))
}

// People whose clients ask for much and do not read it keep nobody else waiting.
func TestSlowReadersLeaveRoom(t *testing.T) {
	t.Parallel()
	people := []string{"alice", "bob", "carol", "dave"}
	s := newService(t, "example.test", people).start()
	at := func(who string) string { return "/dav/calendars/" + who + "/default/" }
	for _, who := range people { // more than sockets buffer
		for i := range 12 {
			s.expect(201, s.do(who, "PUT", fmt.Sprintf("%s%d.ics", at(who), i), event(fmt.Sprint("slow-", i), "DTSTART:20270401T100000Z\nDESCRIPTION:"+strings.Repeat("x", 900_000)), "Content-Type", "text/calendar"))
		}
	}
	const all = `<C:calendar-query xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><prop><C:calendar-data/></prop><C:filter><C:comp-filter name="VCALENDAR"/></C:filter></C:calendar-query>`
	const each = 40
	begun := make(chan string, 3*each)
	for range each {
		for _, who := range people[:3] {
			c := s.dial()
			c.(*net.TCPConn).SetReadBuffer(4096)
			fmt.Fprintf(c, "REPORT %s HTTP/1.1\r\nHost: x\r\nAuthorization: Basic %s\r\nDepth: 1\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s", at(who), basic(who, who), len(all), all)
			go func() {
				b := make([]byte, 12) // and no more
				io.ReadFull(c, b)
				begun <- string(b[9:])
			}()
		}
	}
	got := map[string]int{}
	for range 3 * each {
		got[<-begun]++
	}
	if got["207"] == 0 || got["503"] == 0 || got["207"]+got["503"] != 3*each {
		t.Errorf("answers to those who do not read: %v", got)
	}
	for range 3 {
		if r := s.do("dave", "REPORT", at("dave"), all, "Depth", "1", "Content-Type", "application/xml"); r.status != 207 || len(r.body) < 10<<20 {
			t.Errorf("beside them: %d, %d octets", r.status, len(r.body))
		}
	}
}
