package main

import (
	"errors"
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
		args := []string{"serve", "--data", s.data, "--domains", domains[i], "--hostname", "localhost",
			"--http-listen", strings.TrimPrefix(s.url, "http://"), "--cip-listen", cipAt[i], "--log-level", "warn"}
		if b.profile != "" && i == len(all)-1 { // the one that the load goes to
			var err error
			if s.admin, err = freeAddress(); err != nil {
				return err
			}
			args = append(args, "--admin-listen", s.admin)
		}
		s.cmd = exec.CommandContext(b.ctx, b.binary, args...)
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
	events, err := b.sendEvents(there, address)
	if err != nil {
		return nil, err
	}
	return []figure{
		events,
		{what: "a meeting from PUT to the attendee's calendar on another service", value: ms(percentile(across, .5)), unit: "ms", sample: &sample{took: across}},
	}, nil
}

// sendEvents has a peer send from several connections. What is sent is written
// beforehand, so that the machine is the server's as far as it can be.
func (b *bench) sendEvents(there *service, address string) (figure, error) {
	f := figure{what: fmt.Sprintf("SENDEVENT from %d connections, stored", cipConnections), unit: "/s", sample: &sample{}}
	var took time.Duration // of the server's processors
	var commits, changes float64
	for run := range b.runs {
		var work [cipConnections][][]byte
		for k := range work {
			work[k] = events(run, k)
		}
		at, err := there.figures("convene_store_commits_total", "convene_store_changes_total")
		if err != nil {
			return f, err
		}
		done := b.profileOf(there, fmt.Sprintf("cip%d", run), 4)
		before, begin := there.processor(), time.Now()
		list, err := together(work[:], func(bodies [][]byte) ([]time.Duration, error) { return sendSome(address, bodies) })
		if err != nil {
			return f, err
		}
		f.sample.values = append(f.sample.values, float64(len(list))/time.Since(begin).Seconds())
		f.sample.took = append(f.sample.took, list...)
		took += there.processor() - before
		done()
		end, err := there.figures("convene_store_commits_total", "convene_store_changes_total")
		if err != nil {
			return f, err
		}
		commits, changes = commits+end[0]-at[0], changes+end[1]-at[1]
	}
	slices.Sort(f.sample.took)
	f.value = f.sample.middle()
	f.sample.cpu = took / time.Duration(len(f.sample.took))
	f.beside = fmt.Sprintf("%.1f to a commit", changes/commits)
	if b.base.commitsPerSecond > 0 {
		f.beside = fmt.Sprintf("%.2f × bare commits; ", f.value/b.base.commitsPerSecond) + f.beside
	}
	f.goal = atLeast(f.value, 3000, "/s")
	return f, nil
}

// together does work for each of several clients at once.
func together[T any](work []T, do func(T) ([]time.Duration, error)) (took []time.Duration, err error) {
	var wg sync.WaitGroup
	var mu sync.Mutex
	for _, w := range work {
		wg.Go(func() {
			list, failed := do(w)
			mu.Lock()
			defer mu.Unlock()
			took, err = append(took, list...), errors.Join(err, failed)
		})
	}
	wg.Wait()
	return took, err
}

// events are the bodies that one connection sends.
func events(run, k int) [][]byte {
	list := make([][]byte, cipEvents)
	for n := range list {
		at := time.Date(2027, 1, 4, 9, 0, 0, 0, time.UTC).Add(time.Duration(n) * time.Hour)
		list[n] = fmt.Appendf(nil, "UID:%d-%d-%d@load.test\r\nSEQUENCE:1\r\nDTSTART:%s\r\nDTEND:%s\r\nSUBJECT:Meeting %d\r\nDESCRIPTION:Bring the figures of last month.\r\nATTENDEE;ROLE=OWNER:Boss <boss@load.test>\r\nATTENDEE:u%d@there.test\r\n",
			run, k, n, at.Format("20060102T150405Z"), at.Add(time.Hour).Format("20060102T150405Z"), n, k)
	}
	return list
}

func sendSome(address string, bodies [][]byte) (took []time.Duration, err error) {
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
	for _, body := range bodies {
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
