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
// and hardly read: 20 connections, 9 MB for each, by GET and by multiget.
func slowReaders(b *bench) ([]figure, error) {
	if err := b.ensure(); err != nil {
		return nil, err
	}
	const readers, size = 20, 9 << 20
	path := b.server.calendar("anna", "large")
	if err := b.server.makeCalendar("anna", "large"); err != nil {
		return nil, err
	}
	large := bytes.Replace(eventText(5*firstPut, false), []byte("END:VEVENT"), append(bytes.Repeat([]byte("X-BENCH-LARGE:"+strings.Repeat("0123456789", 6)+"\r\n"), size/76), "END:VEVENT"...), 1)
	if _, err := b.server.do("anna", asked{method: "PUT", path: path + "large.ics", mediaType: calendarType, body: large}); err != nil {
		return nil, err
	}
	multiget := `<c:calendar-multiget xmlns="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><prop><getetag/><c:calendar-data/></prop><href>` + path + `large.ics</href></c:calendar-multiget>`
	var out []figure
	for _, r := range []struct{ what, method, path, body string }{
		{"GET", "GET", path + "large.ics", ""},
		{"multiget", "REPORT", path, multiget},
	} {
		if err := b.server.forgetPeak(); err != nil {
			return out, err
		}
		before, err := b.server.memory("VmRSS")
		if err != nil {
			return out, err
		}
		var open []net.Conn
		answered := 0
		for range readers {
			conn, err := net.Dial("tcp", strings.TrimPrefix(b.server.url, "http://"))
			if err != nil {
				return out, err
			}
			defer conn.Close()
			conn.(*net.TCPConn).SetReadBuffer(4 << 10)
			c := newClient(b.server, "anna")
			fmt.Fprintf(conn, "%s %s HTTP/1.1\r\nHost: localhost\r\nAuthorization: %s\r\nContent-Type: application/xml\r\nContent-Length: %d\r\n\r\n%s", r.method, r.path, c.auth, len(r.body), r.body)
			open = append(open, conn)
		}
		for _, conn := range open {
			conn.SetReadDeadline(time.Now().Add(10 * time.Second))
			if _, err := io.ReadFull(conn, make([]byte, 12)); err == nil {
				answered++
			}
		}
		peak, err := b.server.memory("VmHWM")
		if err != nil {
			return out, err
		}
		for _, conn := range open {
			conn.Close()
		}
		out = append(out, figure{what: fmt.Sprintf("memory more, at most, for %d clients that do not read a 9 MB object (%s; %d answered)", readers, r.what, answered), value: max(peak-before, 0), unit: "MB"})
	}
	return out, nil
}
