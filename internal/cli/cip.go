package cli

import (
	"bufio"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"

	"golang.org/x/term"

	wire "github.com/convene-cal/convene/cip"
	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/internal/transport/cip"
	"github.com/convene-cal/convene/itip"
)

type cipCommands struct {
	Send     cipSend     `cmd:"" help:"Send an event or to-do (SENDEVENT)."`
	RSVP     cipRSVP     `cmd:"" name:"rsvp" help:"Answer an event (RSVP)."`
	Freebusy cipFreebusy `cmd:"" help:"Ask when people are busy (FREEBUSY)."`
	Talk     cipTalk     `cmd:"" help:"Type commands and see the answers."`
}

// cipServer is where to, and as whom.
type cipServer struct {
	Host          string `arg:"" help:"Server: its domain, found by DNS, or HOST:PORT."`
	Login         string `help:"Sign in as this user or server." placeholder:"IDENTITY"`
	PasswordStdin bool   `help:"Read the password from standard input."`
	TLS           bool   `name:"tls" help:"Encrypt the connection (AUTHENTICATE X-STARTTLS)."`
	ImplicitTLS   bool   `name:"implicit-tls" help:"Begin with TLS, as a server's cip.tls-listen expects it."`
	CA            string `name:"ca" type:"existingfile" help:"Certificates in PEM that the server's is checked against (default: the system's)." placeholder:"FILE"`
	ServerID      string `name:"server-id" help:"Its domain, which its certificate is for, when HOST:PORT is given (default: HOST)." placeholder:"DOMAIN"`
	Plaintext     bool   `help:"Send the password without TLS, not only on this machine."`
}

// open connects, and signs in when --login was given.
func (c cipServer) open(e *env) (*cip.Connection, error) {
	p := cip.Peer{ServerID: c.Host, Identity: c.Login}
	if c.TLS {
		p.TLS = cip.TLSStart
	}
	if c.ImplicitTLS {
		p.TLS = cip.TLSImplicit
	}
	if host, _, err := net.SplitHostPort(c.Host); err == nil {
		p.ServerID, p.Address = host, c.Host
	}
	if c.ServerID != "" {
		p.ServerID = c.ServerID
	}
	if c.Login != "" {
		password, err := e.ask(c.PasswordStdin, "password of "+c.Login)
		if err != nil {
			return nil, err
		}
		p.Password = password
	}
	o := cip.Options{Peers: []cip.Peer{p}, PlaintextLogin: c.Plaintext, ClientTLS: &tls.Config{MinVersion: tls.VersionTLS12}}
	if c.CA != "" {
		text, err := os.ReadFile(c.CA)
		if err != nil {
			return nil, err
		}
		o.ClientTLS.RootCAs = x509.NewCertPool()
		if !o.ClientTLS.RootCAs.AppendCertsFromPEM(text) {
			return nil, usagef("%s holds no certificate in PEM", c.CA)
		}
	}
	conn, err := cip.New(o).Open(e.ctx, p.ServerID)
	if err != nil {
		return nil, fmt.Errorf("no connection: %w", err)
	}
	return conn, nil
}

// ask reads a password once: it is somebody else's to check.
func (e *env) ask(fromStdin bool, prompt string) (string, error) {
	f, ok := e.In.(*os.File)
	if fromStdin || !ok || !term.IsTerminal(int(f.Fd())) {
		return e.password(fromStdin, prompt)
	}
	fmt.Fprintf(e.Err, "%s: ", prompt)
	text, err := term.ReadPassword(int(f.Fd()))
	fmt.Fprintln(e.Err)
	return string(text), err
}

// command sends one and prints the answer; a refusal is exit status 1.
func (e *env) command(conn *cip.Connection, verb string, data []byte, asJSON bool) error {
	r, err := conn.Command(e.ctx, verb, data)
	if err != nil {
		return err
	}
	if err := e.printReply(r, asJSON, false); err != nil {
		return err
	}
	if !r.OK {
		return fmt.Errorf("the server refuses: %s", completion(r))
	}
	return nil
}

// completion is the last line of an answer.
func completion(r wire.Reply) string {
	word := "NO"
	if r.OK {
		word = "OK"
	}
	return strings.TrimSpace(fmt.Sprintf("%s %03d %s", word, r.Code, r.Text))
}

// printReply prints data and information, and the completion: of a refusal
// only in a conversation, since else it is the command's error.
func (e *env) printReply(r wire.Reply, asJSON, talk bool) error {
	if asJSON {
		type info struct {
			Code string `json:"code"`
			Kind string `json:"kind,omitempty"`
			ID   string `json:"id,omitempty"`
			New  string `json:"new,omitempty"`
			Text string `json:"text,omitempty"`
		}
		out := struct {
			OK    bool   `json:"ok"`
			Code  int    `json:"code"`
			Text  string `json:"text"`
			Infos []info `json:"infos"`
			Data  string `json:"data,omitempty"`
		}{r.OK, r.Code, r.Text, []info{}, string(r.Data)}
		for _, i := range r.Infos {
			out.Infos = append(out.Infos, info(i))
		}
		return e.printJSON(out)
	}
	w := forPeople(e.Out)
	if r.Data != nil {
		data := strings.ReplaceAll(string(r.Data), "\r\n", "\n")
		if talk { // as the server says it
			data = "+\n" + data + ".\n"
		}
		fmt.Fprint(w, data)
	}
	for _, i := range r.Infos {
		fmt.Fprintln(w, i)
	}
	if !r.OK && !talk {
		return nil
	}
	_, err := fmt.Fprintln(w, completion(r))
	return err
}

type cipSend struct {
	cipServer `embed:""`
	File      string `arg:"" help:"Event: iCalendar, vCalendar 1.0 or bare lines; - for standard input."`
	Form      string `enum:"vcal10,bare,ical20,asis" default:"asis" help:"Write it anew in this form (of iCalendar): vcal10, bare or ical20."`
	ID        string `name:"id" help:"Event id (default: the UID)." placeholder:"ID"`
	Version   int64  `default:"1" help:"Version of the event, when it is written anew."`
	JSON      bool   `help:"One JSON object."`
}

func (cipSend) Help() string {
	return "The file is sent as it is, unless --form says otherwise: then it is iCalendar, and ORGANIZER becomes the owner.\n\n" +
		"Example: convene cip send b.example --login a.example meeting.ics --form vcal10"
}

func (c cipSend) Run(e *env) error {
	text, err := e.file(c.File, c.PasswordStdin)
	if err != nil {
		return err
	}
	if c.Form != "asis" {
		cal, err := ical.Parse(text)
		if err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
		event := wire.Event{ID: c.ID, Version: c.Version, Cancelled: itip.Method(cal.Method()) == itip.Cancel, Calendar: cal}
		if event.ID == "" {
			event.ID = cal.UID()
		}
		if wire.Form(c.Form) == wire.ICal20 && cal.Method() == "" {
			cal.Set("METHOD", string(itip.Request))
		}
		if text, err = event.Encode(wire.Form(c.Form)); err != nil {
			return fmt.Errorf("%s: %w", c.File, err)
		}
	}
	conn, err := c.open(e)
	if err != nil {
		return err
	}
	defer conn.Close()
	return e.command(conn, "SENDEVENT", text, c.JSON)
}

// maxCIPBody is more than any server takes.
const maxCIPBody = 16 << 20

func (e *env) file(name string, stdinTaken bool) ([]byte, error) {
	if name != "-" {
		return os.ReadFile(name)
	}
	if stdinTaken {
		return nil, usagef("standard input holds the password; name a file")
	}
	return io.ReadAll(io.LimitReader(e.In, maxCIPBody))
}

type cipRSVP struct {
	cipServer `embed:""`
	UID       string `name:"uid" required:"" help:"Event id." placeholder:"ID"`
	Attendee  string `required:"" help:"Who answers." placeholder:"ADDRESS"`
	Status    string `required:"" enum:"accepted,tentative,declined,completed,needs-action" help:"accepted, tentative, declined, completed or needs-action."`
	Version   int64  `help:"Version of the event that is answered (default: the present one)."`
	Response  int64  `help:"Number of the answer, counted by the attendee."`
	Comment   string `help:"A word to the owner."`
	JSON      bool   `help:"One JSON object."`
}

func (cipRSVP) Help() string {
	return "Example: convene cip rsvp a.example --uid 4711@a.example --attendee bob@b.example --status accepted"
}

func (c cipRSVP) Run(e *env) error {
	address, ok := wire.ParseUserID(c.Attendee)
	id, writable := wire.UserID(address)
	if !ok || !writable {
		return usagef("%q is no user id; it looks like bob@b.example", c.Attendee)
	}
	a := wire.Answer{ID: c.UID, Version: c.Version, Response: c.Response, Attendee: wire.Person{ID: id, Address: address}, PartStat: strings.ToUpper(c.Status), Comment: c.Comment}
	a.Calendar = ical.New("-//Convene//CIP//EN")
	a.Calendar.Components = append(a.Calendar.Components, ical.NewComponent("VEVENT"))
	body, err := a.Encode(wire.Bare)
	if err != nil {
		return err
	}
	conn, err := c.open(e)
	if err != nil {
		return err
	}
	defer conn.Close()
	return e.command(conn, "RSVP", body, c.JSON)
}

type cipFreebusy struct {
	cipServer `embed:""`
	Who       []string `arg:"" help:"Addresses."`
	From      string   `help:"Beginning: a date or a time in RFC 3339 (default: now)." placeholder:"T"`
	To        string   `help:"End (default: a week later)." placeholder:"T"`
	As        string   `help:"Who asks." placeholder:"ADDRESS"`
	JSON      bool     `help:"One JSON object."`
}

func (cipFreebusy) Help() string {
	return "Example: convene cip freebusy b.example bob@b.example --from 2027-01-10 --to 2027-01-11"
}

func (c cipFreebusy) Run(e *env) error {
	q := wire.Query{Form: wire.Bare}
	var err error
	if q.From, err = cipTime(c.From, time.Now()); err != nil {
		return err
	}
	if q.To, err = cipTime(c.To, q.From.AddDate(0, 0, 7)); err != nil {
		return err
	}
	if !q.From.Before(q.To) {
		return usagef("--to %s is not after the beginning, %s", c.To, q.From.Format(time.RFC3339))
	}
	person := func(s string) (wire.Person, error) {
		address, ok := wire.ParseUserID(s)
		id, writable := wire.UserID(address)
		if !ok || !writable {
			return wire.Person{}, usagef("%q is no user id; it looks like bob@b.example", s)
		}
		return wire.Person{ID: id, Address: address}, nil
	}
	for _, s := range c.Who {
		w, err := person(s)
		if err != nil {
			return err
		}
		q.Attendees = append(q.Attendees, w)
	}
	if c.As != "" {
		if q.Asker, err = person(c.As); err != nil {
			return err
		}
	}
	conn, err := c.open(e)
	if err != nil {
		return err
	}
	defer conn.Close()
	return e.command(conn, "FREEBUSY", q.Encode(time.Now()), c.JSON)
}

func cipTime(s string, otherwise time.Time) (time.Time, error) {
	if s == "" {
		return otherwise.UTC().Truncate(time.Second), nil
	}
	for _, form := range []string{time.RFC3339, time.DateOnly, "20060102T150405Z", "20060102"} {
		if t, err := time.Parse(form, s); err == nil {
			return t.UTC(), nil
		}
	}
	return time.Time{}, usagef("%q is no time; write 2027-01-10 or 2027-01-10T09:00:00+01:00", s)
}

type cipTalk struct {
	cipServer `embed:""`
}

func (cipTalk) Help() string {
	return "A command that ends with + is followed by its data, up to a line that is a single dot. AUTHENTICATE X-STARTTLS begins TLS. Ctrl-D ends.\n\n" +
		"Example: convene cip talk 127.0.0.1:10996"
}

func (c cipTalk) Run(e *env) error {
	conn, err := c.open(e)
	if err != nil {
		return err
	}
	defer conn.Close()
	out := forPeople(e.Out)
	g := conn.Greeting()
	fmt.Fprintf(out, "OK CIP %s %s\n", g.Version, g.Host)
	prompt := func(string) {}
	if f, ok := e.In.(*os.File); ok && term.IsTerminal(int(f.Fd())) {
		prompt = func(s string) { fmt.Fprint(e.Err, s) }
	}
	in := bufio.NewScanner(e.In)
	in.Buffer(nil, 1<<20)
	for prompt("cip> "); in.Scan(); prompt("cip> ") {
		line := strings.TrimSpace(in.Text())
		if line == "" {
			continue
		}
		if err := c.turn(e.ctx, conn, in, line, prompt, e); err != nil {
			return err
		}
	}
	return in.Err()
}

// turn is one command with its data, and the answer.
func (c cipTalk) turn(ctx context.Context, conn *cip.Connection, in *bufio.Scanner, line string, prompt func(string), e *env) error {
	fields := strings.Fields(strings.ToUpper(line))
	if len(fields) == 2 && fields[0] == "AUTHENTICATE" && fields[1] == wire.MechanismTLS {
		err := conn.Encrypt(ctx)
		var refused *wire.Refusal
		if errors.As(err, &refused) {
			return e.printReply(refused.Reply, false, true)
		}
		if err == nil {
			_, err = fmt.Fprintln(e.Out, "OK 000 The connection is encrypted.")
		}
		return err
	}
	var data []byte
	if verb, ok := strings.CutSuffix(line, "+"); ok && fields[0] != "AUTHENTICATE" {
		line, data = strings.TrimSpace(verb), []byte{}
		for {
			if prompt("... "); !in.Scan() || in.Text() == "." {
				break
			}
			data = append(append(data, in.Bytes()...), '\r', '\n')
		}
	}
	r, err := conn.Command(ctx, line, data)
	if err != nil {
		return err
	}
	return e.printReply(r, false, true)
}
