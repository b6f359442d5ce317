package caldav

import "time"

// imfFixdate is how HTTP writes a time (RFC 9110 5.6.7).
const imfFixdate = "Mon, 02 Jan 2006 15:04:05 GMT"

// NSPush is the namespace of WebDAV-Push (draft-bitfire-webdav-push).
const NSPush = "https://bitfire.at/webdav-push"

// Push is a name in the namespace of WebDAV-Push.
func Push(local string) Name { return Name{Space: NSPush, Local: local} }

// PushRegister asks to be told of changes of a resource
// (draft-bitfire-webdav-push, Subscription Registration).
type PushRegister struct {
	Resource string // absolute URI of the push service's
	Encoding string // of the content: aes128gcm
	Key      string // p256dh, base64url
	Auth     string // secret, base64url
	Content  bool   // content-update is asked for, at any depth
	Property bool   // property-update
	Expires  time.Time
}

// Preconditions of a registration.
const (
	InvalidSubscription = "invalid-subscription"
	NoSupportedTrigger  = "no-supported-trigger"
	PushNotAvailable    = "push-not-available"
)

func parsePushRegister(root *Element) (*PushRegister, error) {
	var p PushRegister
	s := root.Child(Push("subscription"))
	if s == nil {
		return nil, refuse(InvalidSubscription, root.Line, "The push-register has no subscription.")
	}
	web := s.Child(Push("web-push-subscription"))
	if web == nil {
		return nil, refuse(InvalidSubscription, s.Line, "Only Web Push subscriptions are known here: web-push-subscription.")
	}
	for _, f := range []struct {
		name, kind string
		to         *string
	}{{"push-resource", "", &p.Resource}, {"content-encoding", "", &p.Encoding}, {"subscription-public-key", "p256dh", &p.Key}, {"auth-secret", "", &p.Auth}} {
		e := web.Child(Push(f.name))
		if e == nil || trimmed(e) == "" {
			return nil, refuse(InvalidSubscription, web.Line, "The subscription has no %s.", f.name)
		}
		if kind := e.Attr("type"); f.kind != "" && kind != "" && kind != f.kind {
			return nil, refuse(InvalidSubscription, e.Line, "The %s is of the type %q; %s is known here.", f.name, kind, f.kind)
		}
		*f.to = trimmed(e)
	}
	if p.Encoding != "aes128gcm" {
		return nil, refuse(InvalidSubscription, web.Line, "The content-encoding %q is not known here; aes128gcm is.", p.Encoding)
	}
	if t := root.Child(Push("trigger")); t != nil {
		p.Content, p.Property = t.Child(Push("content-update")) != nil, t.Child(Push("property-update")) != nil
	}
	if !p.Content && !p.Property {
		return nil, refuse(NoSupportedTrigger, root.Line, "The push-register has no trigger: content-update or property-update.")
	}
	if e := root.Child(Push("expires")); e != nil {
		t, err := time.Parse(imfFixdate, trimmed(e))
		if err != nil {
			return nil, refuse(Malformed, e.Line, "The time %q in expires cannot be read.", trimmed(e))
		}
		p.Expires = t
	}
	return &p, nil
}

// PushMessage is what subscribers are told: that the resource of a topic has
// other content or other properties. Without a sync token it is not said which
// state it has now.
func PushMessage(topic, syncToken string, content, property bool) []byte {
	var x Writer
	x.buf = append(x.buf, `<?xml version="1.0" encoding="utf-8"?>`+"\n"+`<push-message xmlns="`+NSPush+`" xmlns:d="`+NSDAV+`">`...)
	x.buf = append(x.buf, "<topic>"...)
	x.Text(topic)
	x.buf = append(x.buf, "</topic>"...)
	if content {
		x.buf = append(x.buf, "<content-update>"...)
		if syncToken != "" {
			x.Element(D("sync-token"), syncToken)
		}
		x.buf = append(x.buf, "</content-update>"...)
	}
	if property {
		x.buf = append(x.buf, "<property-update/>"...)
	}
	x.buf = append(x.buf, "</push-message>"...)
	return x.Bytes()
}
