package imip

import (
	"fmt"
	"slices"
	"strings"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// methods are those of RFC 5546 1.4.
var methods = []itip.Method{itip.Publish, itip.Request, itip.Reply, itip.Add, itip.Cancel, itip.Refresh, itip.Counter, itip.DeclineCounter}

// scheduled are the components that a message is about (RFC 5546 1.4); others
// in an object, such as unknown ones, go along.
var scheduled = []string{"VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY", "VAVAILABILITY"}

// interpret reads the calendar objects of the candidates, the better kinds
// first, and leaves out what is the same invitation again (IN-03).
func interpret(w *walker, limits Limits) ([]Found, error) {
	var found []Found
	var kinds []candidateKind // of each found
	for _, c := range inOrder(w.candidates) {
	objects:
		for _, f := range w.objects(c) {
			for i, g := range found {
				if same(g, f, c.kind == kinds[i]) {
					w.parsed.Notes = append(w.parsed.Notes, fmt.Sprintf("The calendar object in %s is the one in %s again.", f.Part, g.Part))
					continue objects
				}
			}
			if len(found) >= limits.Objects {
				return nil, fmt.Errorf("imip: the mail has more than %d calendar objects: %w", limits.Objects, ErrLimit)
			}
			if c.kind != forwardedPart && len(w.named) > 0 {
				w.attach(&f)
			}
			found, kinds = append(found, f), append(kinds, c.kind)
		}
	}
	return found, nil
}

// inOrder sorts the candidates by kind; within a kind signed parts come first,
// and then those inside an alternative, because those are what the sender meant.
func inOrder(list []*candidate) []*candidate {
	rank := func(c *candidate) int {
		r := 4 * int(c.kind)
		if len(c.signatures) == 0 {
			r += 2
		}
		if !c.inAlt {
			r++
		}
		return r
	}
	list = slices.DeleteFunc(slices.Clone(list), func(c *candidate) bool { return c.skipped })
	slices.SortStableFunc(list, func(a, b *candidate) int { return rank(a) - rank(b) })
	return list
}

// same tells whether two objects of one mail are one invitation. Copies need
// not be equal octet for octet: Exchange rewrites the text/calendar part and
// keeps the sender's .ics. Across kinds of parts the UID is enough, because a
// sender who repeats an object as a file does so under its UID.
func same(a, b Found, sameKind bool) bool {
	if a.Calendar.UID() != b.Calendar.UID() {
		return false
	}
	if !sameKind {
		return a.Calendar.UID() != ""
	}
	if a.Method != b.Method {
		return false
	}
	ka, kb := revision(a.Calendar), revision(b.Calendar)
	if ka.organizer == "" || kb.organizer == "" {
		ka.organizer, kb.organizer = "", ""
	}
	return ka == kb
}

// version identifies what an object says, without its wording.
type version struct{ instances, organizer, attendees string }

func revision(cal *ical.Calendar) version {
	var v version
	var instances, attendees []string
	for _, c := range cal.Main() {
		id := ""
		if p := c.Prop("RECURRENCE-ID"); p != nil {
			id = p.Value()
		}
		sequence := c.Value("SEQUENCE")
		if sequence == "" {
			sequence = "0" // RFC 5545 3.8.7.4
		}
		instances = append(instances, c.Name+" "+id+" "+sequence)
		if p := c.Prop("ORGANIZER"); p != nil && v.organizer == "" {
			v.organizer = p.Address().Key()
		}
		// Who answers is part of what a REPLY says: two answers in one mail are two.
		if cal.Method() == string(itip.Reply) {
			for p := range c.Props("ATTENDEE") {
				attendees = append(attendees, p.Address().Key()+" "+p.Param("PARTSTAT"))
			}
		}
	}
	slices.Sort(instances)
	slices.Sort(attendees)
	v.instances, v.attendees = strings.Join(instances, ","), strings.Join(attendees, ",")
	return v
}

// objects reads one candidate: each VCALENDAR in it, each split by UID.
func (w *walker) objects(c *candidate) []Found {
	text, whole := cutCalendars(c.text)
	if text == "" {
		if c.kind != namedPart && strings.TrimSpace(c.text) != "" {
			w.broken = append(w.broken, fmt.Sprintf("The part %s is called a calendar and holds none.", c.part))
		}
		return nil
	}
	if !whole {
		w.broken = append(w.broken, fmt.Sprintf("The calendar part %s is cut off: its END:VCALENDAR is missing.", c.part))
		return nil
	}
	cals, err := ical.ParseAll([]byte(text))
	if err != nil {
		w.broken = append(w.broken, fmt.Sprintf("The calendar part %s cannot be read: %v", c.part, err))
		w.parsed.Notes = append(w.parsed.Notes, w.broken[len(w.broken)-1])
		return nil
	}
	severalReason := ""
	if len(cals) > 1 && !separable(cals) {
		severalReason = "several-objects"
	}
	var found []Found
	for _, cal := range cals {
		f := Found{Calendar: cal, Part: c.part, Signatures: c.signatures, Encrypted: c.encrypted}
		for _, r := range cal.Repairs {
			f.Repairs = append(f.Repairs, fmt.Sprintf("Line %d: %s", r.Line, r.What))
		}
		resolveMethod(&f, c)
		kinds := map[string]bool{}
		for _, m := range cal.Main() {
			if slices.Contains(scheduled, m.Name) {
				kinds[m.Name] = true
			}
		}
		switch {
		case len(kinds) == 0:
			w.broken = append(w.broken, fmt.Sprintf("The calendar object in %s holds no event, to-do, journal entry or free/busy time.", c.part))
			continue
		case c.kind == namedPart:
			f.Reason, f.Review = "attached", "The mail has a calendar file attached, not a scheduling message (its media type is not text/calendar); it can be imported by hand."
		case c.kind == forwardedPart:
			f.Reason, f.Review = "forwarded", "The calendar object lies in a mail that was forwarded as an attachment; it can be applied by hand."
		case c.malleable && len(c.signatures) == 0:
			f.Reason, f.Review = "malleable", "The mail was encrypted in a way that does not show whether somebody changed it on its way, and nothing inside is signed."
		case len(kinds) > 1:
			// RFC 5546 1.4: one type of component in one object; the refusal is REQUEST-STATUS 3.4.
			f.Reason, f.Review = "mixed-components", "The calendar object mixes different kinds of components, which a scheduling message must not (RFC 5546 1.4)."
		case severalReason != "":
			f.Reason, f.Review = severalReason, "One calendar part holds several objects with different methods or about the same event; which counts cannot be told."
		}
		if parts := cal.SplitByUID(); len(parts) > 1 { // IN-06
			w.parsed.Notes = append(w.parsed.Notes, fmt.Sprintf("The calendar object in %s holds %d different UIDs; each is taken for itself.", c.part, len(parts)))
			for _, one := range parts {
				g := f
				g.Calendar = one
				if one.Method() == "" && f.Calendar.Method() != "" {
					setMethod(one, f.Calendar.Method())
				}
				found = append(found, g)
			}
			continue
		}
		found = append(found, f)
	}
	return found
}

// resolveMethod compares the part's method parameter with the object's METHOD,
// ignoring case (RFC 6047 2.4).
func resolveMethod(f *Found, c *candidate) {
	param := strings.ToUpper(strings.TrimSpace(c.method))
	body := strings.ToUpper(strings.TrimSpace(f.Calendar.Method()))
	if body == "" { // the name METHOD had in draft-ietf-calsch-imip-04 4.6
		if body = strings.ToUpper(strings.TrimSpace(f.Calendar.Value("PROFILE"))); body != "" {
			setMethod(f.Calendar, body)
			f.Repairs = append(f.Repairs, "PROFILE was read as METHOD.")
		}
	}
	switch {
	case param == "" && body == "":
		f.Reason, f.Review = "no-method", "The calendar object has no METHOD, so it asks for nothing; it can be imported by hand."
	case body == "":
		f.Method, f.MethodFrom = itip.Method(param), "header"
		f.Reason, f.Review = "method-from-header", "Only the mail says that the calendar object is a "+param+"; the object itself does not (METHOD is missing)."
	case param == "":
		f.Method, f.MethodFrom = itip.Method(body), "body"
	case param == body:
		f.Method, f.MethodFrom = itip.Method(body), "both"
	default: // IN-02: receivers disagree on which counts, so that neither is safe
		f.Method, f.MethodFrom, f.Inconsistent = itip.Method(body), "both", true
		f.Reason, f.Review = "inconsistent-method", fmt.Sprintf("The mail calls this a %s and the calendar object calls itself a %s; neither is believed.", param, body)
	}
	if f.Method != "" && !slices.Contains(methods, f.Method) && f.Review == "" {
		f.Reason, f.Review = "unknown-method", fmt.Sprintf("The method %q is none of iTIP's.", string(f.Method))
	}
}

// setMethod puts METHOD before the first component, beside VERSION and PRODID.
func setMethod(cal *ical.Calendar, method string) { cal.Set("METHOD", method) }

// separable tells whether several objects in one part may each be processed:
// their methods are equal and their UIDs differ (IN-05).
func separable(cals []*ical.Calendar) bool {
	seen := map[string]bool{}
	for _, cal := range cals {
		if cal.Method() != cals[0].Method() || seen[cal.UID()] {
			return false
		}
		seen[cal.UID()] = true
	}
	return true
}

// cutCalendars removes what stands before the first BEGIN:VCALENDAR and behind
// the last END:VCALENDAR (list footers, legal notices), and puts the two lines
// around components that lack them. whole is false where the end is missing.
func cutCalendars(text string) (calendars string, whole bool) {
	begin := findLine(text, "BEGIN:VCALENDAR", false)
	if begin < 0 {
		first := -1
		var name string
		for _, n := range []string{"VTIMEZONE", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"} {
			if i := findLine(text, "BEGIN:"+n, false); i >= 0 && (first < 0 || i < first) {
				first, name = i, n
			}
		}
		if first < 0 {
			return "", false
		}
		last := -1
		for _, n := range []string{"VTIMEZONE", "VEVENT", "VTODO", "VJOURNAL", "VFREEBUSY"} {
			if i := findLine(text, "END:"+n, true); i >= 0 {
				last = max(last, i+len("END:"+n))
			}
		}
		if last < first {
			return "BEGIN:" + name, false
		}
		// What stands before the first component belongs to the calendar where it looks so.
		head := ""
		if i := findLine(text[:first], "METHOD:", false); i >= 0 {
			head = strings.TrimRight(text[i:first], "\r\n") + "\r\n"
		}
		return "BEGIN:VCALENDAR\r\nVERSION:2.0\r\n" + head + text[first:last] + "\r\nEND:VCALENDAR\r\n", true
	}
	end := findLine(text, "END:VCALENDAR", true)
	if end < begin {
		return text[begin:], false
	}
	end += len("END:VCALENDAR")
	switch rest := text[end:]; {
	case strings.HasPrefix(rest, "\r\n"):
		end += 2
	case strings.HasPrefix(rest, "\n"):
		end++
	default: // something hangs on the last line, or nothing follows
		return text[begin:end] + "\r\n", true
	}
	return text[begin:end], true
}

// findLine finds the first or last line that begins with prefix in any case
// (blanks before it pass), and gives the place of the prefix, or -1.
func findLine(text, prefix string, last bool) int {
	at := -1
	for pos := 0; pos < len(text); {
		next := len(text)
		if i := strings.IndexByte(text[pos:], '\n'); i >= 0 {
			next = pos + i + 1
		}
		lead := pos
		for lead < next && (text[lead] == ' ' || text[lead] == '\t') {
			lead++
		}
		if len(text)-lead >= len(prefix) && strings.EqualFold(text[lead:lead+len(prefix)], prefix) {
			at = lead
			if !last {
				return at
			}
		}
		pos = next
	}
	return at
}
