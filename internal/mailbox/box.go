package mailbox

import (
	"cmp"
	"fmt"
	"net"
	"net/url"
	"strconv"
	"time"
)

// Box is one mailbox to watch.
type Box struct {
	Address  string // host:port
	TLS      string // "implicit", "starttls" or "none"
	User     string
	Password string
	Folder   string        // default INBOX
	To       string        // whose mail it is; "" = the addresses in the mail
	Since    time.Duration // how old mail may be when it is first seen
	Poll     time.Duration // between looks; 0 = as Options has it
}

// defaultSince: an invitation that old has been dealt with.
const defaultSince = 14 * 24 * time.Hour

// ParseBox reads imaps://user:password@host/INBOX?to=ann@example.org, or
// imap:// with tls=starttls (default) or tls=none. since is a number of days,
// poll one of seconds.
func ParseBox(s string) (Box, error) {
	u, err := url.Parse(s)
	if err != nil {
		return Box{}, fmt.Errorf("the address of a mailbox cannot be read") // err would show the password
	}
	b := Box{TLS: "starttls", Folder: "INBOX", Since: defaultSince, To: u.Query().Get("to"), User: u.User.Username()}
	b.Password, _ = u.User.Password()
	port := "143"
	switch u.Scheme {
	case "imaps":
		b.TLS, port = "implicit", "993"
	case "imap":
		b.TLS = cmp.Or(u.Query().Get("tls"), b.TLS)
		if b.TLS != "starttls" && b.TLS != "none" {
			return Box{}, fmt.Errorf("tls=%s is neither starttls nor none", b.TLS)
		}
	default:
		return Box{}, fmt.Errorf("the address of a mailbox begins with imaps:// or imap://, not with %q", u.Scheme)
	}
	if u.Hostname() == "" || b.User == "" {
		return Box{}, fmt.Errorf("the address of a mailbox names a host and a user: imaps://user:password@host/INBOX")
	}
	b.Address = net.JoinHostPort(u.Hostname(), cmp.Or(u.Port(), port))
	if len(u.Path) > 1 {
		b.Folder = u.Path[1:]
	}
	if days := u.Query().Get("since"); days != "" {
		n, err := strconv.Atoi(days)
		if err != nil || n < 0 {
			return Box{}, fmt.Errorf("since=%s is no number of days", days)
		}
		b.Since = time.Duration(n) * 24 * time.Hour
	}
	if seconds := u.Query().Get("poll"); seconds != "" {
		n, err := strconv.Atoi(seconds)
		if err != nil || n < 1 {
			return Box{}, fmt.Errorf("poll=%s is no number of seconds", seconds)
		}
		b.Poll = time.Duration(n) * time.Second
	}
	return b, nil
}

// String names the mailbox without its password.
func (b Box) String() string { return b.User + " at " + b.Address + "/" + b.Folder }
