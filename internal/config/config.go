package config

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"strings"
	"time"
)

// Config is everything an operator can set. The zero value is not useful;
// start from [Default].
type Config struct {
	Data     string   `toml:"data" flag:"yes" help:"folder of the embedded store, queues and keys"`
	Domains  []string `toml:"domains" flag:"yes" help:"mail domains whose calendar addresses are ours"`
	Hostname string   `toml:"hostname" flag:"yes" help:"name of this service in mail, links and greetings"`
	Zones    string   `toml:"zones" help:"time zones of your own for objects that use a TZID and do not define it: a file, or a folder of files, with VTIMEZONEs or lines such as HQ = Europe/Berlin"`
	Store    Store    `toml:"store"`
	HTTP     HTTP     `toml:"http"`
	Mail     Mail     `toml:"mail"`
	CIP      CIP      `toml:"cip"`
	CAP      CAP      `toml:"cap"`
	Log      Log      `toml:"log"`
	Admin    Admin    `toml:"admin"`
	Limits   Limits   `toml:"limits"`

	Oversight     Oversight     `toml:"oversight"`
	Subscriptions Subscriptions `toml:"subscriptions"`
	Push          Push          `toml:"push"`
}

// Oversight names accounts that are let into everybody's calendars.
type Oversight struct {
	Read []string `toml:"read" help:"accounts that may read everybody's calendars, but for what is private; each visit is on record for the owner. Nobody when empty"`
	Act  []string `toml:"act" help:"accounts that may act for everybody: change calendars, answer, invite and see what is private; each visit is on record for the owner. Nobody when empty"`
}

// Push is how calendar programs are told of changes (WebDAV-Push).
type Push struct {
	Enabled      bool   `toml:"enabled" flag:"yes" help:"tell calendar programs of changes, by the push services they name"`
	Contact      string `toml:"contact" help:"who answers for this service, for push services: mailto:... or https://...; empty is postmaster of the first domain"`
	AllowPrivate bool   `toml:"allow-private" help:"push services on this machine and in private networks too, with or without TLS"`
}

// Store says where the data lies and how sure a commit is.
type Store struct {
	URL        string `toml:"url" flag:"yes" secret:"yes" help:"empty for embedded SQLite in data, or postgres://..."`
	Durability string `toml:"durability" help:"full: a commit survives a power cut; normal: it survives a crash of the process"`
}

// HTTP is the listener for CalDAV and the web application.
type HTTP struct {
	Listen         string   `toml:"listen" flag:"yes" help:"address of the web and CalDAV listener"`
	PublicURL      string   `toml:"public-url" flag:"yes" help:"how people reach this service, e.g. https://cal.example.org"`
	TLS            string   `toml:"tls" help:"off or files"`
	Cert           string   `toml:"cert" help:"certificate chain, PEM, when tls is files"`
	Key            string   `toml:"key" help:"private key, PEM, when tls is files"`
	TrustedProxies []string `toml:"trusted-proxies" help:"networks whose X-Forwarded-For and X-Forwarded-Proto are believed"`

	ConnectionsPerAddress int `toml:"connections-per-address" help:"connections that one address may have open at once, trusted proxies apart; 0 is no limit"`
}

// Mail is iMIP in and out.
type Mail struct {
	Relay          string        `toml:"relay" flag:"yes" secret:"yes" help:"where mail goes out: smtp://user:pass@host:587?tls=none|starttls|required, or smtps://"`
	LMTPListen     string        `toml:"lmtp-listen" flag:"yes" help:"address of the LMTP listener"`
	SMTPListen     string        `toml:"smtp-listen" flag:"yes" help:"address of the SMTP listener"`
	MaxMessageSize int64         `toml:"max-message-size" help:"octets of one mail"`
	InboundPolicy  string        `toml:"inbound-policy" flag:"yes" help:"accept, verify or quarantine"`
	UndoWindow     time.Duration `toml:"undo-window" help:"how long outgoing messages wait for second thoughts, at most 5m"`
	QuietAfter     time.Duration `toml:"quiet-after" help:"how long after the end of an event people elsewhere are still mailed about it; 0s: always"`
	UnknownSenders string        `toml:"unknown-senders" help:"allow or hold"`
	AuthservIDs    []string      `toml:"authserv-ids" help:"whose Authentication-Results are trusted"`
	IMAP           []string      `toml:"imap" secret:"yes" help:"mailboxes to fetch scheduling mail from: imaps://user:password@host/INBOX?to=ann@example.org"`
	WebhookSecret  string        `toml:"webhook-secret" secret:"yes" help:"key that signs mail posted to /hooks/mail; no such page without it"`
	DKIMKey        string        `toml:"dkim-key" secret:"yes" help:"private key, PEM, that signs outgoing mail for its domain where the relay does not"`
	DKIMSelector   string        `toml:"dkim-selector" help:"name of that key in the DNS: SELECTOR._domainkey.DOMAIN"`
	Check          bool          `toml:"check" help:"check SPF, DKIM and DMARC of mail that no trusted server has checked"`
	ARCSealers     []string      `toml:"arc-sealers" help:"domains of mailing lists and forwarders whose ARC seals are believed: what came to them authenticated counts as from that domain"`
	AgentDomains   []string      `toml:"agent-domains" help:"domains of organizers in whose invitations an address made for the one guest stands as ORGANIZER, so that answers come here whatever they are sent from; * is every domain"`
	ReplyAddresses bool          `toml:"reply-addresses" help:"true: Reply-To of invitations is a sub-address of the organizer's, made for the one guest (the mail server must deliver ann+anything to ann)"`
	Resolver       string        `toml:"resolver" help:"name server asked about SPF, DKIM and DMARC, host:port; the system's when empty"`
	SignedDomains  []string      `toml:"signed-domains" help:"domains whose scheduling messages must be signed to be applied"`
	DenyDomains    []string      `toml:"deny-domains" help:"domains with which there is no scheduling by mail: their messages are refused, and none go there"`
	PinFirst       bool          `toml:"pin-first" help:"true: the first certificate, or the first OpenPGP key that comes with a mail, of somebody whose mail is proven by their domain is believed from then on, whoever issued it"`
	Sign           bool          `toml:"sign" help:"sign the mail of accounts that have a key"`
	Encrypt        string        `toml:"encrypt" help:"never, when-possible or always: encrypt what goes to people whose certificate is known"`
}

// CIP is real-time scheduling with other servers (docs/cip.md).
type CIP struct {
	Listen         string        `toml:"listen" flag:"yes" help:"address of the CIP listener"`
	TLSListen      string        `toml:"tls-listen" flag:"yes" help:"address of a CIP listener whose clients begin with TLS; with the certificate of http.cert"`
	CA             string        `toml:"ca" help:"file of certificates (PEM) that peers' certificates are checked against; the system's when empty"`
	AllowAnonymous string        `toml:"allow-anonymous" help:"servers without a login: no, verify (by their network address) or yes"`
	PlaintextLogin bool          `toml:"plaintext-login" help:"true: passwords may come and go without TLS"`
	FallbackAfter  time.Duration `toml:"fallback-after" help:"how long a peer may be out of reach before its messages go by mail"`
	Peers          []CIPPeer     `toml:"peer" help:"servers with which passwords or addresses are agreed, a [[cip.peer]] each"`
}

// CIPPeer is a server of another organisation.
type CIPPeer struct {
	ServerID string `toml:"server-id" help:"its domain"`
	Address  string `toml:"address" help:"host:port; by DNS when empty"`
	Identity string `toml:"identity" help:"who we are there; the first of our domains when empty"`
	Password string `toml:"password" help:"agreed by both sides; may be file:PATH or env:NAME"`
	TLS      string `toml:"tls" help:"none, starttls, or tls: from the first octet, to a tls-listen; none when empty"`
	Body     string `toml:"body" help:"vcal10, bare or ical20; vcal10 when empty"`
	Forwards string `toml:"forwards" help:"yes: events of others that it forwards to members of its groups are taken from it; no when empty"`
	Zone     string `toml:"zone" help:"time zone of its times without any; UTC when empty"`
}

// CAP is reserved: the setting is read, so that it can be there before the
// protocol is, and nothing listens.
type CAP struct {
	Listen string `toml:"listen" flag:"yes" help:"reserved: a value is warned about, nothing listens yet"`
}

// Log is what the service says while it runs.
type Log struct {
	Level  string `toml:"level" flag:"yes" help:"debug, info, warn or error"`
	Format string `toml:"format" help:"text or json"`
}

// Admin is a listener for profiles, never for users.
type Admin struct {
	Listen string `toml:"listen" flag:"yes" help:"address of profiles and metrics; off when empty"`
}

// Limits hold on every path in; 0 is no limit.
type Limits struct {
	MaxResourceSize      int64 `toml:"max-resource-size" help:"octets of one calendar object"`
	MaxInstances         int   `toml:"max-instances" help:"occurrences expanded for one answer"`
	MaxAttendees         int   `toml:"max-attendees" help:"attendees of one component"`
	MaxExternalAttendees int   `toml:"max-external-attendees" help:"attendees of other services of one component"`
	RequestsPerMinute    int   `toml:"requests-per-minute" help:"CalDAV requests of one account; 0 is no limit"`
	MailPerSender        int   `toml:"mail-per-sender" help:"scheduling mails of one sender within an hour before the rest is held; not counted under the policy accept"`
	MailPerDomain        int   `toml:"mail-per-domain" help:"new invitations by mail from one domain within an hour before the rest is held; not counted under the policy accept"`
	MailPerRecipient     int   `toml:"mail-per-recipient" help:"new invitations by mail to one account within an hour, as many that are proven and as many that are not, before the rest is held; not counted under the policy accept"`
	Quota                int64 `toml:"quota" help:"octets of all data of one account; 0 is no limit"`
}

// Subscriptions is how addresses that calendars follow are fetched.
type Subscriptions struct {
	AllowPrivate bool  `toml:"allow-private" flag:"yes" help:"fetch from this machine and private networks too"`
	MaxSize      int64 `toml:"max-size" help:"octets of one source"`
}

// Default is what holds where nothing is set.
func Default() Config {
	return Config{
		Data:     "/var/lib/convene",
		Hostname: "localhost",
		Store:    Store{Durability: "full"},
		HTTP:     HTTP{Listen: "127.0.0.1:8420", TLS: "off", ConnectionsPerAddress: 1000},
		Mail: Mail{
			MaxMessageSize: 25 << 20,
			InboundPolicy:  "verify",
			Sign:           true,
			Check:          true,
			Encrypt:        "never",
			UnknownSenders: "allow",
		},
		CIP:    CIP{AllowAnonymous: "verify", FallbackAfter: 15 * time.Minute},
		Log:    Log{Level: "info", Format: "text"},
		Limits: Limits{MaxResourceSize: 10 << 20, MaxInstances: 10_000, MaxAttendees: 5_000, MaxExternalAttendees: 500, MailPerSender: 300, MailPerDomain: 3_000, MailPerRecipient: 300},

		Subscriptions: Subscriptions{MaxSize: 16 << 20},
	}
}

// maxUndoWindow is the longest wait a user may ask for before mail leaves.
const maxUndoWindow = 5 * time.Minute

// Validate reports everything that cannot work, one sentence a line.
func (c *Config) Validate() error {
	var errs []error
	bad := func(format string, args ...any) { errs = append(errs, fmt.Errorf(format, args...)) }
	oneOf := func(key, value string, allowed ...string) {
		for _, a := range allowed {
			if value == a {
				return
			}
		}
		bad("%s is %q; it is one of %s", key, value, strings.Join(allowed, ", "))
	}
	if c.Data == "" {
		bad("data is empty; give a folder")
	}
	oneOf("store.durability", c.Store.Durability, "full", "normal")
	oneOf("http.tls", c.HTTP.TLS, "off", "files")
	oneOf("mail.encrypt", c.Mail.Encrypt, "never", "when-possible", "always")
	oneOf("mail.inbound-policy", c.Mail.InboundPolicy, "accept", "verify", "quarantine")
	oneOf("mail.unknown-senders", c.Mail.UnknownSenders, "allow", "hold")
	oneOf("cip.allow-anonymous", c.CIP.AllowAnonymous, "no", "verify", "yes")
	oneOf("log.level", c.Log.Level, "debug", "info", "warn", "error")
	oneOf("log.format", c.Log.Format, "text", "json")
	if c.HTTP.TLS == "files" && (c.HTTP.Cert == "" || c.HTTP.Key == "") {
		bad(`http.tls is "files"; http.cert and http.key must name PEM files`)
	}
	if c.Mail.UndoWindow < 0 || c.Mail.UndoWindow > maxUndoWindow {
		bad("mail.undo-window is %s; it is between 0s and %s", c.Mail.UndoWindow, maxUndoWindow)
	}
	if c.CIP.TLSListen != "" && c.HTTP.TLS != "files" {
		bad(`cip.tls-listen needs a certificate: http.tls = "files", with http.cert and http.key`)
	}
	if c.CIP.FallbackAfter < 0 {
		bad("cip.fallback-after is %s; it is a time such as 15m", c.CIP.FallbackAfter)
	}
	seen := map[string]bool{}
	for _, p := range c.CIP.Peers {
		name := "cip.peer " + p.ServerID
		id := strings.ToLower(strings.TrimSuffix(p.ServerID, "."))
		if id == "" || strings.ContainsAny(id, "@ /:") {
			bad("cip.peer has the server-id %q; write a domain such as example.org", p.ServerID)
		}
		if seen[id] {
			bad("%s is there twice", name)
		}
		seen[id] = true
		oneOf(name+" tls", p.TLS, "", "none", "starttls", "tls")
		if p.TLS == "tls" && p.Address == "" {
			bad(`%s has tls = "tls" and no address; DNS does not tell where such a listener is`, name)
		}
		oneOf(name+" forwards", p.Forwards, "", "no", "yes")
		oneOf(name+" body", p.Body, "", "vcal10", "bare", "ical20")
		if _, _, err := net.SplitHostPort(p.Address); p.Address != "" && err != nil {
			bad("%s has the address %q; write host:port", name, p.Address)
		}
		if strings.ContainsAny(p.Identity, " \r\n") || strings.ContainsAny(p.Password, "\r\n") {
			bad("%s: identity and password go on one line, the identity without blanks", name)
		}
	}
	for _, l := range []struct{ key, value string }{
		{"http.listen", c.HTTP.Listen}, {"mail.lmtp-listen", c.Mail.LMTPListen}, {"mail.smtp-listen", c.Mail.SMTPListen},
		{"cip.listen", c.CIP.Listen}, {"cip.tls-listen", c.CIP.TLSListen}, {"cap.listen", c.CAP.Listen}, {"admin.listen", c.Admin.Listen},
	} {
		if l.value == "" || strings.HasPrefix(l.value, "unix:") {
			continue
		}
		if _, _, err := net.SplitHostPort(l.value); err != nil {
			bad("%s is %q; write host:port", l.key, l.value)
		}
	}
	if c.HTTP.PublicURL != "" {
		if u, err := url.Parse(c.HTTP.PublicURL); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
			bad("http.public-url is %q; write http(s)://host", c.HTTP.PublicURL)
		}
	}
	if c.HTTP.ConnectionsPerAddress < 0 {
		bad("http.connections-per-address is %d; write 0 for no limit", c.HTTP.ConnectionsPerAddress)
	}
	for _, p := range c.HTTP.TrustedProxies {
		if net.ParseIP(p) == nil {
			if _, _, err := net.ParseCIDR(p); err != nil {
				bad("http.trusted-proxies holds %q; write an address or a network such as 10.0.0.0/8", p)
			}
		}
	}
	for _, d := range c.Domains {
		if d == "" || strings.ContainsAny(d, "@ /") {
			bad("domains holds %q; write a mail domain such as example.org", d)
		}
	}
	return errors.Join(errs...)
}
