package caldav

// Share is one step of a CS:share: somebody is invited, or taken off the list
// (CalendarServer sharing 6.26–6.28).
type Share struct {
	Remove     bool
	Href       string // of the sharee: a calendar user address
	CommonName string
	Summary    string // a name for the calendar, proposed to the sharee
	Write      bool   // read-write, else read
}

// InviteReply answers an invitation (CalendarServer sharing 6.22).
type InviteReply struct {
	Href      string // of the sharee
	Accepted  bool
	HostURL   string // of the shared calendar
	InReplyTo string // CS:uid of the invitation
	Summary   string // the sharee's name for the calendar
}

// Publish asks for an address of a calendar that anyone can read, or for its end.
type Publish struct{ Off bool }

// maxShares in one request.
const maxShares = 500

// ParsePost reads the XML body of a POST: []Share, *InviteReply, *Publish or *PushRegister.
func ParsePost(body []byte, l Limits) (any, error) {
	root, err := ParseElement(body, l)
	if err != nil {
		return nil, err
	}
	switch root.Name {
	case CS("share"):
		return parseShares(root)
	case CS("invite-reply"):
		return parseInviteReply(root)
	case CS("publish-calendar"):
		return &Publish{}, nil
	case CS("unpublish-calendar"):
		return &Publish{Off: true}, nil
	case Push("push-register"):
		return parsePushRegister(root)
	}
	return nil, unexpected(root, "CS:share, CS:invite-reply or CS:publish-calendar")
}

func parseShares(root *Element) ([]Share, error) {
	var list []Share
	for e := range root.Elements() {
		if !e.Is(CS("set")) && !e.Is(CS("remove")) {
			continue
		}
		s := Share{Remove: e.Is(CS("remove")), Write: e.Child(CS("read-write")) != nil}
		var ok bool
		if s.Href, ok = e.Href(); !ok || s.Href == "" {
			return nil, refuse(Malformed, e.Line, "A step of the CS:share says nobody: DAV:href is missing.")
		}
		if c := e.Child(CS("common-name")); c != nil {
			s.CommonName = trimmed(c)
		}
		if c := e.Child(CS("summary")); c != nil {
			s.Summary = trimmed(c)
		}
		if !s.Remove && !s.Write && e.Child(CS("read")) == nil {
			return nil, refuse(Malformed, e.Line, "A CS:set says whether the sharee may read or also write: CS:read or CS:read-write.")
		}
		if list = append(list, s); len(list) > maxShares {
			return nil, refuse(BeyondSize, e.Line, "At most %d people can be named at once.", maxShares)
		}
	}
	if len(list) == 0 {
		return nil, refuse(Malformed, root.Line, "The CS:share sets and removes nobody.")
	}
	return list, nil
}

func parseInviteReply(root *Element) (*InviteReply, error) {
	r := &InviteReply{Accepted: root.Child(CS("invite-accepted")) != nil}
	r.Href, _ = root.Href()
	if !r.Accepted && root.Child(CS("invite-declined")) == nil {
		return nil, refuse(Malformed, root.Line, "An answer says CS:invite-accepted or CS:invite-declined.")
	}
	if h := root.Child(CS("hosturl")); h != nil {
		r.HostURL, _ = h.Href()
	}
	if r.HostURL == "" {
		return nil, refuse(Malformed, root.Line, "An answer names the calendar it is about: CS:hosturl with a DAV:href.")
	}
	if c := root.Child(CS("in-reply-to")); c != nil {
		r.InReplyTo = trimmed(c)
	}
	if c := root.Child(CS("summary")); c != nil {
		r.Summary = trimmed(c)
	}
	return r, nil
}
