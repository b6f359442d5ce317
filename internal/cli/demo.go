package cli

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"text/tabwriter"
	"time"

	wire "github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/account"
	"github.com/convene-cal/convene/internal/config"
	"github.com/convene-cal/convene/internal/problem"
	"github.com/convene-cal/convene/internal/server"
)

type demoCommand struct {
	Port int `help:"First of two HTTP ports; 0 chooses free ones." default:"8420"`
}

func (demoCommand) Help() string {
	return "Two services in one process, for example.test and elsewhere.test, joined by CIP and, where that does not do, by real SMTP on loopback. " +
		"Type \"cip off\" to stop CIP and \"cip on\" to start it again. " +
		"Without --data they live in a temporary folder that is removed at the end.\n\nExample: convene demo"
}

// organisation is one side of the demo.
type organisation struct {
	domain string
	people []person
}

type person struct{ name, display, kind string }

// organisations are the two services; passwords are the local parts.
var organisations = [2]organisation{
	{"example.test", []person{{"alice", "Alice Archer", "individual"}, {"bob", "Bob Baker", "individual"}, {"carol", "Carol Chen", "individual"}, {"blue-room", "Blue Room", "room"}}},
	{"elsewhere.test", []person{{"dave", "Dave Diaz", "individual"}, {"erin", "Erin Evans", "individual"}}},
}

// Ports of the demo's mail listeners when the HTTP ports are the usual ones.
const (
	demoLMTPPort = 2424
	demoSMTPPort = 2525
	demoCIPPort  = wire.DefaultPort
)

// demoFallback is how long the demo waits for CIP before a message goes by
// mail: a person watches.
const demoFallback = 5 * time.Second

func (c demoCommand) Run(e *env) error {
	dir := e.root.Data
	if dir == "" {
		temporary, err := os.MkdirTemp("", "convene-demo")
		if err != nil {
			return err
		}
		defer os.RemoveAll(temporary)
		dir = temporary
	}
	smtp, err := demoPorts(c.Port, demoSMTPPort)
	if err != nil {
		return err
	}
	cip, err := demoPorts(c.Port, demoCIPPort)
	if err != nil {
		return err
	}
	agreed := rand.Text() // the two services' password for each other
	ctx, cancel := context.WithCancel(e.ctx)
	defer cancel()
	var servers [2]*server.Server
	for i, org := range organisations {
		cfg := config.Default()
		cfg.Data = filepath.Join(dir, org.domain)
		cfg.Domains = []string{org.domain}
		cfg.HTTP.Listen = loopback(c.Port, i)
		cfg.Mail.LMTPListen = "127.0.0.1:0"
		if c.Port == 8420 {
			cfg.Mail.LMTPListen = loopback(demoLMTPPort, i)
		}
		cfg.Mail.SMTPListen = smtp[i]
		cfg.Mail.Relay = "smtp://" + smtp[1-i] + "?tls=none"
		cfg.Mail.InboundPolicy = "accept" // the other service signs nothing, and this is loopback
		cfg.CIP.Listen, cfg.CIP.FallbackAfter = cip[i], demoFallback
		cfg.CIP.Peers = []config.CIPPeer{{ServerID: organisations[1-i].domain, Address: cip[1-i], Password: agreed, Body: string(wire.ICal20)}}
		log := slog.New(slog.NewTextHandler(e.Err, &slog.HandlerOptions{Level: slog.LevelWarn})).With("service", org.domain)
		s, err := server.New(ctx, cfg, log)
		if err != nil {
			return fmt.Errorf("%s: %w; is another demo running? --port 0 chooses free ports", org.domain, err)
		}
		servers[i] = s
	}
	for i, org := range organisations {
		if err := populate(ctx, servers[i], org); err != nil {
			return fmt.Errorf("%s: %w", org.domain, err)
		}
	}
	var wg sync.WaitGroup
	var failed [2]error
	for i, s := range servers {
		wg.Go(func() {
			failed[i] = s.Run(ctx)
			cancel() // one side alone is no demo
		})
	}
	if err := walkThrough(e.Out, dir, e.root.Data != "", servers, smtp); err != nil {
		cancel()
		failed[0] = errors.Join(failed[0], err)
	}
	go demoSwitch(e, servers) // ends with the input, or the process
	wg.Wait()
	return errors.Join(failed[:]...)
}

// demoSwitch turns CIP between the services off and on, as the person says.
func demoSwitch(e *env, servers [2]*server.Server) {
	for in := bufio.NewScanner(e.In); in.Scan(); {
		said := ""
		switch strings.Join(strings.Fields(strings.ToLower(in.Text())), " ") {
		case "cip off":
			said = fmt.Sprintf("CIP is off: what is sent now goes by mail after %s.", demoFallback)
		case "cip on":
			said = "CIP is on."
		default:
			continue
		}
		for _, s := range servers {
			s.CIP.Pause(strings.Contains(said, "off"))
		}
		fmt.Fprintln(e.Out, said)
	}
}

func loopback(first, i int) string {
	if first == 0 {
		return "127.0.0.1:0"
	}
	return net.JoinHostPort("127.0.0.1", strconv.Itoa(first+i))
}

// demoPorts are two listeners. Each side needs the other's before either is
// bound, so free ones are looked for first.
func demoPorts(first, usual int) (addresses [2]string, err error) {
	for i := range addresses {
		if first == 8420 {
			addresses[i] = loopback(usual, i)
			continue
		}
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return addresses, err
		}
		addresses[i] = l.Addr().String()
		defer l.Close()
	}
	return addresses, nil
}

// populate makes the accounts and their sample calendars, once.
func populate(ctx context.Context, s *server.Server, org organisation) error {
	switch _, err := s.Accounts.Find(ctx, org.people[0].name); {
	case err == nil:
		return nil // kept from an earlier demo
	case !problem.Has(err, problem.NotFound):
		return err
	}
	monday := nextMonday(time.Now())
	for _, p := range org.people {
		made, err := s.Accounts.Add(ctx, account.NewAccount{Address: ical.Mailto(p.name + "@" + org.domain), DisplayName: p.display, Password: p.name, Kind: p.kind, TimeZone: demoZone})
		if err != nil {
			return err
		}
		if err := importText(ctx, s.Services, made, "default", sampleCalendar(p.name, org.domain, monday)); err != nil {
			return err
		}
	}
	return nil
}

// demoZone is where both organisations live.
const demoZone = "Europe/Berlin"

func nextMonday(now time.Time) time.Time {
	days := (8 - int(now.Weekday())) % 7
	if days == 0 {
		days = 7
	}
	y, m, d := now.AddDate(0, 0, days).Date()
	return time.Date(y, m, d, 0, 0, 0, 0, time.UTC)
}

// samples are the weekly habits and single events of the demo's people, by
// day of the coming week and hours in the demo's zone.
var samples = map[string][]struct {
	day      int
	from, to string
	summary  string
	rule     string
}{
	"alice":     {{0, "0900", "0930", "Week planning", "FREQ=WEEKLY"}, {1, "1300", "1400", "Lunch with Carol", ""}, {3, "1600", "1730", "Yoga", "FREQ=WEEKLY;COUNT=12"}},
	"bob":       {{0, "1000", "1200", "Focus time", "FREQ=WEEKLY;BYDAY=MO,WE,FR"}, {2, "1500", "1530", "Dentist", ""}},
	"carol":     {{1, "1300", "1400", "Lunch with Alice", ""}, {4, "0900", "1700", "Training", ""}},
	"blue-room": {{2, "1000", "1100", "Board", "FREQ=MONTHLY"}},
	"dave":      {{0, "1400", "1500", "Team sync", "FREQ=WEEKLY"}, {1, "0900", "1000", "Call with Bonn", ""}},
	"erin":      {{3, "1000", "1130", "Interviews", ""}},
}

func sampleCalendar(name, domain string, monday time.Time) []byte {
	var b strings.Builder
	b.WriteString("BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Convene//Demo//EN\r\n")
	for i, s := range samples[name] {
		day := monday.AddDate(0, 0, s.day).Format("20060102")
		fmt.Fprintf(&b, "BEGIN:VEVENT\r\nUID:sample-%s-%d@%s\r\nDTSTAMP:%sT000000Z\r\nDTSTART;TZID=%s:%sT%s00\r\nDTEND;TZID=%s:%sT%s00\r\nSUMMARY:%s\r\n",
			name, i, domain, day, demoZone, day, s.from, demoZone, day, s.to, s.summary)
		if s.rule != "" {
			fmt.Fprintf(&b, "RRULE:%s\r\n", s.rule)
		}
		b.WriteString("END:VEVENT\r\n")
	}
	b.WriteString("END:VCALENDAR\r\n")
	return []byte(b.String())
}

// ownName is how a shell finds this program: "convene" where that is installed,
// else the path of what runs, as after `go run`.
func ownName() string {
	if _, err := exec.LookPath("convene"); err == nil {
		return "convene"
	}
	if path, err := os.Executable(); err == nil {
		return path
	}
	return "convene"
}

// walkThrough prints what to open and what to try.
func walkThrough(out io.Writer, dir string, kept bool, servers [2]*server.Server, smtp [2]string) error {
	var b strings.Builder
	fmt.Fprintf(&b, "\nConvene demo: two organisations that schedule with each other by CIP, and by real mail where that does not do.\n\n")
	w := tabwriter.NewWriter(&b, 2, 0, 3, ' ', 0)
	var url [2]string
	for i, org := range organisations {
		url[i] = "http://" + servers[i].Addr("http").String()
		var names []string
		for _, p := range org.people {
			names = append(names, p.name)
		}
		fmt.Fprintf(w, "  %s\t%s\t%s\n", org.domain, url[i], strings.Join(names, ", "))
		fmt.Fprintf(w, "  \tLMTP %s, SMTP %s, CIP %s\tpassword = the name\n", servers[i].Addr("lmtp"), smtp[i], servers[i].Addr("cip"))
	}
	if err := w.Flush(); err != nil {
		return err
	}
	data := filepath.Join(dir, organisations[0].domain)
	fmt.Fprintf(&b, `
Try this
  1. Open %[1]s, sign in as alice / alice, and make an event next week.
     Invite bob@example.test, blue-room@example.test and dave@elsewhere.test:
     the form shows when your colleagues and the room are free, and what will be sent.
  2. bob has it at once, the room has accepted or declined, dave's calendar shows it too.
  3. Open %[2]s in a private window, sign in as dave / dave, and accept.
  4. Back at alice's: dave's answer is there. Move the event; dave is asked again.
  5. "Messages" shows everything that crossed, by which way, with what became of it.
  6. Type "cip off" here and invite dave again: after some seconds it goes by mail.
     "cip on" ends that. telnet to a CIP port and type FOO: the server answers.

With a calendar client (Thunderbird, Evolution, DAVx5, Apple Calendar, vdirsyncer)
  add a CalDAV account: address %[1]s, user alice, password alice.

From the shell
  curl -u alice:alice %[1]s/dav/calendars/alice/default/
  %[4]s event list --account alice@example.test --data %[3]s
  %[4]s message list --data %[3]s
`, url[0], url[1], data, ownName())
	if kept {
		fmt.Fprintf(&b, "\nThe stores stay in %s.", dir)
	} else {
		fmt.Fprintf(&b, "\nThe stores are in %s and are removed at the end.", dir)
	}
	fmt.Fprintf(&b, " Ctrl-C ends the demo.\n\n")
	_, err := io.WriteString(out, b.String())
	return err
}
