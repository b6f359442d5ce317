package main

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
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
			add := exec.CommandContext(b.ctx, b.binary, "account", "add", fmt.Sprintf("u%d@%s", k, domain), "--password-stdin", "--data", data)
			add.Stdin = strings.NewReader(password)
			if out, err := add.CombinedOutput(); err != nil {
				return nil, nil, "", fmt.Errorf("account add: %w: %s", err, out)
			}
		}
		settings := fmt.Sprintf("[[cip.peer]]\nserver-id = %q\naddress = %q\npassword = \"agreed\"\n[[cip.peer]]\nserver-id = \"load.test\"\naddress = \"127.0.0.1:1\"\npassword = \"load\"\n", domains[1-i], cipAt[1-i])
		if err := os.WriteFile(filepath.Join(data, "convene.toml"), []byte(settings), 0o600); err != nil {
			return nil, nil, "", err
		}
		all[i] = &service{url: "http://" + httpAt[i], data: data}
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

func (s *service) begin() error {
	if err := s.cmd.Start(); err != nil {
		return err
	}
	for begin := time.Now(); ; time.Sleep(2 * time.Millisecond) {
		if resp, err := http.Get(s.url + "/readyz"); err == nil {
			resp.Body.Close()
			if resp.StatusCode == 200 {
				return nil
			}
		}
		if time.Since(begin) > 20*time.Second {
			s.stop()
			return fmt.Errorf("the service is not ready after 20 s")
		}
	}
}

// scheduleByCIP measures what a server takes from peers, and how long a meeting
// is under way between two.
func scheduleByCIP(b *bench) ([]figure, error) {
	here, there, address, err := b.cipServices()
	if err != nil {
		return nil, err
	}
	for _, s := range []*service{here, there} {
		if err := s.begin(); err != nil {
			return nil, err
		}
		defer s.stop()
	}
	across, err := meetingsAcross(here, there)
	if err != nil {
		return nil, err
	}
	before, err := there.processor()
	if err != nil {
		return nil, err
	}
	perSecond, took, err := sendEvents(address)
	if err != nil {
		return nil, err
	}
	after, err := there.processor()
	if err != nil {
		return nil, err
	}
	ratio := ""
	if b.base.commitsPerSecond > 0 {
		ratio = fmt.Sprintf("%.2f × bare commits", perSecond/b.base.commitsPerSecond)
	}
	return []figure{
		{fmt.Sprintf("SENDEVENT from %d connections, stored (p50 %.1f, p95 %.1f ms)", cipConnections, ms(percentile(took, .5)), ms(percentile(took, .95))), perSecond, "/s", ratio},
		{"processor time of the server for each", ms(after-before) / float64(len(took)), "ms", ""},
		{fmt.Sprintf("a meeting from PUT to the attendee's calendar on another service (p95 %.1f ms)", ms(percentile(across, .95))), ms(percentile(across, .5)), "ms", ""},
	}, nil
}

// processor is the time the service has had a processor, itself and the kernel
// for it (proc(5), clock ticks of 10 ms).
func (s *service) processor() (time.Duration, error) {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", s.cmd.Process.Pid))
	if err != nil {
		return 0, err
	}
	_, rest, _ := strings.Cut(string(text), ") ")
	var ticks time.Duration
	for i, f := range strings.Fields(rest) {
		if i == 11 || i == 12 { // utime, stime
			n, err := strconv.Atoi(f)
			if err != nil {
				return 0, err
			}
			ticks += time.Duration(n)
		}
	}
	return ticks * 10 * time.Millisecond, nil
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
	for _, s := range []*service{here, there} { // the first sign-in hashes the password
		if _, _, err := s.do(http.DefaultClient, "u0", "PROPFIND", "/dav/calendars/u0/", map[string]string{"Depth": "0"}, nil); err != nil {
			return nil, err
		}
	}
	for i := range cipMeetings {
		uid := fmt.Sprintf("across-%d@here.test", i)
		text := fmt.Sprintf("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Bench//EN\r\nBEGIN:VEVENT\r\nUID:%s\r\nDTSTAMP:20250101T000000Z\r\nDTSTART:202703%02dT100000Z\r\nDTEND:202703%02dT110000Z\r\nSUMMARY:Across\r\nORGANIZER:mailto:u0@here.test\r\nATTENDEE;PARTSTAT=ACCEPTED:mailto:u0@here.test\r\nATTENDEE;RSVP=TRUE;PARTSTAT=NEEDS-ACTION:mailto:u0@there.test\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n", uid, i+1, i+1)
		t := time.Now()
		if _, _, err := here.do(http.DefaultClient, "u0", "PUT", "/dav/calendars/u0/default/"+url.PathEscape(uid)+".ics", calendarType, []byte(text)); err != nil {
			return nil, err
		}
		for {
			if _, _, err := there.do(http.DefaultClient, "u0", "GET", "/dav/calendars/u0/default/"+url.PathEscape(uid)+".ics", nil, nil); err == nil {
				break
			}
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
