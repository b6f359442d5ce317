package main

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/convene-cal/convene/cip"
)

const (
	cipConnections = 8
	cipEvents      = 1500 // of each connection
	cipMeetings    = 20
)

// cipServices are two services that are each other's peers, and a third name
// with a password for the load.
func (b *bench) cipServices() (here, there *service, address string, err error) {
	var cipAt, httpAt [2]string
	for i := range cipAt {
		for _, at := range []*string{&cipAt[i], &httpAt[i]} {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				return nil, nil, "", err
			}
			*at = l.Addr().String()
			defer l.Close()
		}
	}
	var all [2]*service
	domains := [2]string{"here.test", "there.test"}
	for i, domain := range domains {
		data := filepath.Join(b.dir, domain)
		for k := range cipConnections {
			if err := b.addAccount(data, fmt.Sprintf("u%d@%s", k, domain)); err != nil {
				return nil, nil, "", err
			}
		}
		settings := fmt.Sprintf("[[cip.peer]]\nserver-id = %q\naddress = %q\npassword = \"agreed\"\n[[cip.peer]]\nserver-id = \"load.test\"\naddress = \"127.0.0.1:1\"\npassword = \"load\"\n", domains[1-i], cipAt[1-i])
		if err := os.WriteFile(filepath.Join(data, "convene.toml"), []byte(settings), 0o600); err != nil {
			return nil, nil, "", err
		}
		all[i] = &service{url: "http://" + httpAt[i], data: data, login: plainLogin}
	}
	return all[0], all[1], cipAt[1], b.runCIP(all[:], domains[:], cipAt[:])
}

// runCIP starts them; their addresses are free by now.
func (b *bench) runCIP(all []*service, domains, cipAt []string) error {
	for i, s := range all {
		s.cmd = exec.CommandContext(b.ctx, b.binary, "serve", "--data", s.data, "--domains", domains[i], "--hostname", "localhost",
			"--http-listen", strings.TrimPrefix(s.url, "http://"), "--cip-listen", cipAt[i], "--log-level", "warn")
		s.cmd.Stderr = os.Stderr
	}
	return nil
}

// scheduleByCIP measures what a server takes from peers, and how long a meeting
// is under way between two.
func scheduleByCIP(b *bench) ([]figure, error) {
	here, there, address, err := b.cipServices()
	if err != nil {
		return nil, err
	}
	for _, s := range []*service{here, there} {
		if _, err := s.begin("/readyz"); err != nil {
			return nil, err
		}
		defer s.stop()
	}
	across, err := meetingsAcross(here, there)
	if err != nil {
		return nil, err
	}
	before := there.processor()
	perSecond, took, err := sendEvents(address)
	if err != nil {
		return nil, err
	}
	cpu := (there.processor() - before) / time.Duration(len(took))
	ratio := ""
	if b.base.commitsPerSecond > 0 {
		ratio = fmt.Sprintf("%.2f × bare commits", perSecond/b.base.commitsPerSecond)
	}
	slices.Sort(took)
	return []figure{
		{what: fmt.Sprintf("SENDEVENT from %d connections, stored", cipConnections), value: perSecond, unit: "/s", sample: &sample{took: took, cpu: cpu}, beside: ratio},
		{what: "a meeting from PUT to the attendee's calendar on another service", value: ms(percentile(across, .5)), unit: "ms", sample: &sample{took: across}},
	}, nil
}

func sendEvents(address string) (perSecond float64, took []time.Duration, err error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	begin := time.Now()
	for k := range cipConnections {
		wg.Go(func() {
			list, failed := sendSome(address, k)
			mu.Lock()
			defer mu.Unlock()
			took = append(took, list...)
			if failed != nil {
				err = failed
			}
		})
	}
	wg.Wait()
	perSecond = float64(len(took)) / time.Since(begin).Seconds()
	slices.Sort(took)
	return perSecond, took, err
}

func sendSome(address string, k int) (took []time.Duration, err error) {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	c, err := cip.NewClient(conn)
	if err != nil {
		return nil, err
	}
	if err := c.Login("load.test", "load"); err != nil {
		return nil, err
	}
	for n := range cipEvents {
		at := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Hour)
		body := fmt.Appendf(nil, "UID:%d-%d@load.test\r\nSEQUENCE:1\r\nDTSTART:%s\r\nDTEND:%s\r\nSUBJECT:Meeting %d\r\nDESCRIPTION:Bring the figures of last month.\r\nATTENDEE;ROLE=OWNER:Boss <boss@load.test>\r\nATTENDEE:u%d@there.test\r\n",
			k, n, at.Format("20060102T150405Z"), at.Add(time.Hour).Format("20060102T150405Z"), n, k)
		t := time.Now()
		r, err := c.SendEvent(body)
		if err != nil || !r.OK {
			return took, fmt.Errorf("SENDEVENT: %+v, %w", r, err)
		}
		took = append(took, time.Since(t))
	}
	return took, nil
}

// meetingsAcross is the time from the PUT that invites somebody of the other
// service to the event in their calendar.
func meetingsAcross(here, there *service) (took []time.Duration, err error) {
	mine, theirs := newClient(here, "u0"), newClient(there, "u0")
	defer mine.close()
	defer theirs.close()
	for _, c := range []*client{mine, theirs} { // the first sign-in hashes the password
		if err := c.drop(ctagOf("/dav/calendars/u0/default/")); err != nil {
			return nil, err
		}
	}
	for i := range cipMeetings {
		uid := fmt.Sprintf("across-%d@here.test", i)
		text := fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20250101T000000Z\r\nDTSTART:202703%02dT100000Z\r\nDTEND:202703%02dT110000Z\r\nSUMMARY:Across\r\nORGANIZER:mailto:u0@here.test\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:u0@here.test\r\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:u0@there.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", uid, i+1, i+1)
		path := "/dav/calendars/u0/default/" + url.PathEscape(uid) + ".ics"
		t := time.Now()
		if err := mine.drop(asked{method: "PUT", path: path, mediaType: calendarType, body: []byte(text)}); err != nil {
			return nil, err
		}
		for theirs.drop(asked{method: "GET", path: path}) != nil {
			if time.Since(t) > 10*time.Second {
				return nil, fmt.Errorf("the meeting did not arrive in 10 s")
			}
			time.Sleep(500 * time.Microsecond)
		}
		took = append(took, time.Since(t))
	}
	slices.Sort(took)
	return took, nil
}
