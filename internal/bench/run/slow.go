package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"strings"
	"time"
)

// slowReaders is the memory of the service while clients ask for large objects
// and hardly read: 20 connections, 9 MB for each. The service is a fresh one each
// time, so that what it took before does not hide what it takes.
func slowReaders(b *bench) ([]figure, error) {
	const readers, size = 20, 9 << 20
	data := b.dir + "/slow"
	s, _, err := b.start(data, "anna")
	if err != nil {
		return nil, err
	}
	path := s.calendar("anna", "large")
	if err = s.makeCalendar("anna", "large"); err == nil {
		for i := range readers {
			large := bytes.Replace(eventText(5*firstPut+i, false), []byte("END:VEVENT"), append(bytes.Repeat([]byte("X-BENCH-LARGE:"+strings.Repeat("0123456789", 6)+"\r\n"), size/76), "END:VEVENT"...), 1)
			if _, err = s.do("anna", asked{method: "PUT", path: fmt.Sprintf("%s%d.ics", path, i), mediaType: calendarType, body: large}); err != nil {
				break
			}
		}
	}
	s.stop()
	if err != nil {
		return nil, err
	}
	var out []figure
	for _, r := range []struct {
		what, method string
		different    int
	}{
		{"GET", "GET", 1},
		{"GET of 20 different ones", "GET", readers},
		{"multiget", "REPORT", 1},
		{"multiget of 20 different ones", "REPORT", readers},
	} {
		s, _, err := b.start(data)
		if err != nil {
			return out, err
		}
		more, answered, err := slowMemory(s, readers, func(i int) (method, at, body string) {
			object := fmt.Sprintf("%s%d.ics", path, i%r.different)
			if r.method == "GET" {
				return "GET", object, ""
			}
			return "REPORT", path, `<c:calendar-multiget xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><getetag/><c:calendar-data/></prop><href>` + object + `</href></c:calendar-multiget>`
		})
		s.stop()
		if err != nil {
			return out, err
		}
		out = append(out, figure{what: fmt.Sprintf("memory more, at most, for %d clients that do not read a 9 MB object (%s; %d answered)", readers, r.what, answered), value: more, unit: "MB"})
	}
	return out, nil
}

// slowMemory is what a service takes at most for clients that ask and do not read.
func slowMemory(s *service, readers int, ask func(i int) (method, at, body string)) (more float64, answered int, err error) {
	if _, err := s.do("anna", asked{method: "OPTIONS", path: s.calendar("anna", "large")}); err != nil { // the password's hash is made here
		return 0, 0, err
	}
	if err := s.forgetPeak(); err != nil {
		return 0, 0, err
	}
	before, err := s.memory("VmRSS")
	if err != nil {
		return 0, 0, err
	}
	var open []net.Conn
	for i := range readers {
		conn, err := net.Dial("tcp", strings.TrimPrefix(s.url, "http://"))
		if err != nil {
			return 0, 0, err
		}
		defer conn.Close()
		conn.(*net.TCPConn).SetReadBuffer(4 << 10)
		method, at, body := ask(i)
		fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s", method, at, newClient(s, "anna").auth, len(body), body)
		open = append(open, conn)
	}
	for _, conn := range open {
		conn.SetReadDeadline(time.Now().Add(10 * time.Second))
		if _, err := io.ReadFull(conn, make([]byte, 12)); err == nil {
			answered++
		}
	}
	peak, err := s.memory("VmHWM")
	return max(peak-before, 0), answered, err
}
