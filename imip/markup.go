package imip

import (
	"strings"
	"time"

	"github.com/convene-cal/convene/ical"
	"github.com/convene-cal/convene/itip"
)

// markup is an event in the words of schema.org (OUT-11), which mail services show beside
// a mail. It says what the text says; there is no action in it, since those are
// for senders that registered with a service.
type markup struct {
	Context   string `json:"@context"`
	Type      string `json:"@type"`
	Name      string `json:"name"`
	Start     string `json:"startDate"`
	End       string `json:"endDate,omitempty"`
	Status    string `json:"eventStatus"`
	Location  *venue `json:"location,omitempty"`
	Organizer *party `json:"organizer,omitempty"`
	URL       string `json:"url,omitempty"`
}

type venue struct {
	Type    string `json:"@type"`
	Name    string `json:"name"`
	Address string `json:"address"`
}

type party struct {
	Type  string `json:"@type"`
	Name  string `json:"name,omitempty"`
	Email string `json:"email,omitempty"`
}

// marked are the methods whose mails are about an event that takes place, or not.
var marked = map[itip.Method]bool{itip.Request: true, itip.Cancel: true, itip.Publish: true, itip.Add: true}

// markupOf describes the event of a message, s in short; nil where there is nothing to say.
func markupOf(m itip.Message, c *ical.Component, s itip.Summary, title string) *markup {
	if !marked[m.Method] || c.Name != "VEVENT" {
		return nil
	}
	if s.From.IsZero() {
		return nil
	}
	out := &markup{Context: "https://schema.org", Type: "Event", Name: title, Status: "https://schema.org/EventScheduled"}
	moved := false
	for _, d := range m.Changes {
		moved = moved || d.Property == "DTSTART"
	}
	switch {
	case m.Method == itip.Cancel || strings.EqualFold(c.Value("STATUS"), "CANCELLED"):
		out.Status = "https://schema.org/EventCancelled"
	case moved:
		out.Status = "https://schema.org/EventRescheduled"
	}
	form := time.RFC3339
	if s.AllDay {
		form = time.DateOnly
	}
	out.Start = s.From.Format(form)
	if s.To.After(s.From) {
		to := s.To
		if s.AllDay {
			to = to.AddDate(0, 0, -1) // schema.org's last day is one of the event's
		}
		out.End = to.Format(form)
	}
	if where := oneLine(s.Where); where != "" {
		out.Location = &venue{"Place", where, where}
	}
	if o := s.OrganizedBy; o.Address != "" {
		email := o.Email
		if email == "" {
			email = o.Address.Email()
		}
		out.Organizer = &party{"Person", oneLine(o.CN), email}
	}
	if u := strings.TrimSpace(s.URL); strings.HasPrefix(u, "https://") || strings.HasPrefix(u, "http://") {
		out.URL = u
	}
	return out
}
