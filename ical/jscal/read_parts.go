package jscal

import (
	"encoding/base64"
	"fmt"
	"mime"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// parts takes a map of objects, each a copy that may be changed; what do does
// not take of one is kept as JSPROP, and all of it when do gives false.
func (e *conversion) parts(name, kind string, do func(key string, o *conversion) bool) {
	all, ok := e.o[name].(object)
	if !ok {
		return
	}
	delete(e.o, name)
	for _, key := range names(all) {
		path := pointer(name, key)
		o, ok := all[key].(object)
		if !ok || o["@type"] != nil && o["@type"] != kind {
			e.prop(path, all[key])
			continue
		}
		part := &conversion{reader: e.reader, o: object{}, path: below(e.path, path), c: e.c, converted: e.converted}
		for k, v := range o {
			part.o[k] = v
		}
		delete(part.o, "@type")
		if !do(key, part) {
			e.prop(path, all[key])
			continue
		}
		part.rest(path)
	}
}

// oneLine is a text as a parameter can hold it.
func oneLine(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if r < ' ' && r != '\n' && r != '\t' || r == 0x7f {
			return -1
		}
		return r
	}, s))
}

// position reads a geo: URI that is no more than two numbers (RFC 5870).
func position(uri string) (string, bool) {
	s, ok := strings.CutPrefix(uri, "geo:")
	latitude, longitude, two := strings.Cut(s, ",")
	a, err1 := strconv.ParseFloat(latitude, 64)
	b, err2 := strconv.ParseFloat(longitude, 64)
	plain := strings.Trim(s, "0123456789.-,") == ""
	return latitude + ";" + longitude, ok && two && plain && err1 == nil && err2 == nil && -90 <= a && a <= 90 && -180 <= b && b <= 180
}

// locations takes the first named location as LOCATION, with its position as
// GEO, and the others as VLOCATION (draft-ietf-calext-jscalendar-icalendar 3.5).
func (e *entry) locations() {
	e.parts("locations", "Location", func(key string, l *conversion) bool {
		uri, _ := l.o["coordinates"].(string)
		geo, isGeo := position(uri)
		note, _ := e.converted[pointer("locations", key, "coordinates")].(object)
		wasGeo := strings.EqualFold(fmt.Sprint(note["name"]), "GEO")
		name, named := l.o["name"].(string)
		_, component := l.o["iCalendar"]
		_, links := l.o["links"]
		if component || links || !named && !wasGeo || named && (e.c.Prop("LOCATION") != nil || name == "") || l.o["locationTypes"] != nil {
			return e.vlocation(key, l)
		}
		if named {
			p := ical.NewText("LOCATION", name)
			jsid(p, key)
			e.add("locations/"+key, p)
			delete(l.o, "name")
		}
		if isGeo && e.c.Prop("GEO") == nil {
			p := ical.NewProperty("GEO", geo)
			if !named {
				jsid(p, key)
			} else if e.c.Prop("LOCATION") == nil {
				p.SetParam("JSID", key)
			}
			e.c.Add(p)
			delete(l.o, "coordinates")
		}
		return true
	})
}

// vlocation makes a VLOCATION (RFC 9073 7.2).
func (e *entry) vlocation(key string, l *conversion) bool {
	if !isID(key) || len(l.o) == 0 {
		return false
	}
	v := e.conversion.conversion(l.o, l.path, ical.NewComponent("VLOCATION"))
	if v.keptProp("UID") == nil {
		v.c.Add(ical.NewText("UID", key))
	}
	if kept := v.keptProp("UID"); kept != nil && kept.Text() != key {
		v.c.Add(ical.NewText("JSID", key))
	}
	if s, ok := v.text("name"); ok {
		v.add("name", ical.NewText("NAME", s))
	}
	if s, ok := v.text("description"); ok {
		v.add("description", ical.NewText("DESCRIPTION", s))
	}
	if types, ok := v.o["locationTypes"].(object); ok && len(types) > 0 {
		v.words("locationTypes", "LOCATION-TYPE")
	}
	if uri, ok := v.o["coordinates"].(string); ok {
		if geo, isGeo := position(uri); isGeo {
			v.add("coordinates", ical.NewProperty("GEO", geo))
			delete(v.o, "coordinates")
		}
	}
	v.links()
	v.rest("")
	v.restore()
	for k := range l.o {
		delete(l.o, k)
	}
	e.c.Components = append(e.c.Components, v.c)
	return true
}

// virtualLocations takes them as CONFERENCE (RFC 7986 5.11).
func (e *entry) virtualLocations() {
	e.parts("virtualLocations", "VirtualLocation", func(key string, v *conversion) bool {
		uri, ok := v.uri("uri")
		if !ok {
			return false
		}
		p := uriProperty("CONFERENCE", uri)
		if features, ok := v.o["features"].(object); ok {
			var list []string
			for _, f := range names(features) {
				if isID(f) {
					list = append(list, strings.ToUpper(f))
				}
			}
			if list != nil && len(list) == len(features) {
				p.SetParam("FEATURE", list...)
				delete(v.o, "features")
			}
		}
		if s, ok := v.text("name"); ok && oneLine(s) != "" {
			p.SetParam("LABEL", oneLine(s))
		}
		jsid(p, key)
		e.add("virtualLocations/"+key, p)
		return true
	})
}

// links takes Links (RFC 8984 1.4.11) as ATTACH, IMAGE, URL or LINK.
func (e *conversion) links() {
	e.parts("links", "Link", func(key string, l *conversion) bool {
		href, ok := l.uri("href")
		if !ok {
			return false
		}
		rel, _ := l.o["rel"].(string)
		title := "LABEL"
		var p *ical.Property
		note, _ := e.converted["links/"+key].(object)
		switch {
		case rel == "enclosure":
			p, title = uriProperty("ATTACH", href), "FILENAME"
		case rel == "icon":
			p, title = uriProperty("IMAGE", href), "FILENAME"
		case rel == "describedby" && e.c.Prop("URL") == nil && !strings.EqualFold(fmt.Sprint(note["name"]), "LINK"):
			p = uriProperty("URL", href)
		default:
			p = uriProperty("LINK", href)
			p.SetParam("VALUE", "URI")
			// RFC 9253 6.1 demands a relation and knows no default; RFC 8984
			// 1.4.11 says nothing of a link without one. This is the weakest.
			if rel == "" || oneLine(rel) != rel {
				rel = "related"
			}
			p.SetParam("LINKREL", rel)
		}
		if data, media, ok := dataURI(href); ok && p.Name() != "URL" && p.Name() != "LINK" {
			p.SetValue(data)
			p.SetParam("VALUE", "BINARY")
			p.SetParam("ENCODING", "BASE64")
			if l.o["contentType"] == nil && media != "" {
				l.o["contentType"] = media
			}
		}
		delete(l.o, "rel")
		if s, ok := l.o["contentType"].(string); ok && p.Name() != "URL" {
			if _, _, err := mime.ParseMediaType(s); err == nil && !strings.Contains(s, ";") {
				p.SetParam("FMTTYPE", s)
				delete(l.o, "contentType")
			}
		}
		if s, ok := l.o["display"].(string); ok && p.Name() == "IMAGE" && isID(s) {
			p.SetParam("DISPLAY", strings.ToUpper(s))
			delete(l.o, "display")
		}
		if n, ok := integer(l.o["size"]); ok && n >= 0 && (p.Name() == "ATTACH" || p.Name() == "IMAGE") {
			p.SetParam("SIZE", strconv.Itoa(n))
			delete(l.o, "size")
		}
		if s, ok := l.o["title"].(string); ok && oneLine(s) != "" {
			p.SetParam(title, oneLine(s))
			delete(l.o, "title")
		}
		jsid(p, key)
		e.add("links/"+key, p)
		return true
	})
}

// dataURI reads a data: URI (RFC 2397) in BASE64.
func dataURI(s string) (data, media string, ok bool) {
	if !strings.HasPrefix(s, "data:") {
		return "", "", false
	}
	head, data, ok := strings.Cut(s[len("data:"):], ",")
	media, found := strings.CutSuffix(head, ";base64")
	if _, err := base64.StdEncoding.DecodeString(data); err != nil {
		return "", "", false
	}
	return data, media, ok && found
}

// relations takes relatedTo. A relation that RELTYPE has no word for is kept.
func (e *entry) relations() {
	all, ok := e.o["relatedTo"].(object)
	if !ok {
		return
	}
	delete(e.o, "relatedTo")
	for _, uid := range names(all) {
		o, _ := all[uid].(object)
		relation, _ := o["relation"].(object)
		reltype := ""
		for name, v := range relation {
			for word, known := range relations {
				if word != "" && known == name && isTrue(v) {
					reltype = word
				}
			}
		}
		if len(relation) != 1 || reltype == "" || uid == "" || len(o) > 2 {
			e.prop(pointer("relatedTo", uid), all[uid])
			continue
		}
		p := ical.NewText("RELATED-TO", uid)
		if reltype != "PARENT" {
			p.SetParam("RELTYPE", reltype)
		}
		e.add(pointer("relatedTo", uid), p)
	}
}

// alerts takes Alerts (RFC 8984 4.5.2) as VALARMs.
func (e *entry) alerts() {
	e.parts("alerts", "Alert", func(key string, l *conversion) bool {
		trigger, _ := l.o["trigger"].(object)
		p := ical.NewProperty("TRIGGER", "PT0S")
		known := len(trigger)
		switch trigger["@type"] {
		case "OffsetTrigger":
			s, _ := trigger["offset"].(string)
			d, whole, ok := parseDuration(s)
			if !ok || !isID(key) {
				return false
			}
			if !whole {
				e.losses.at(l.path, "the fraction of a second is left out")
			}
			p.SetValue(d.String())
			known -= 2
			if to := trigger["relativeTo"]; to == "end" || to == "start" {
				if known--; to == "end" {
					p.SetParam("RELATED", "END")
				}
			}
		case "AbsoluteTrigger":
			s, _ := trigger["when"].(string)
			t, _, ok := parseUTC(s)
			if !ok || !isID(key) {
				return false
			}
			p.SetTime(ical.UTCTime(t))
			p.SetParam("VALUE", "DATE-TIME")
			known -= 2
		default: // to be preserved, not triggered
			return false
		}
		if known != 0 {
			e.losses.at(l.path, "what else its trigger says is left out")
		}
		a := e.conversion.conversion(l.o, l.path, ical.NewComponent("VALARM"))
		delete(a.o, "trigger")
		a.add("trigger", p)
		a.stamp("acknowledged", "ACKNOWLEDGED")
		e.action(a)
		if kept := a.keptProp("UID"); kept == nil {
			a.c.Add(ical.NewText("UID", key))
		} else if kept.Text() != key {
			a.c.Add(ical.NewText("JSID", key))
		}
		a.rest("")
		a.restore()
		for k := range l.o {
			delete(l.o, k)
		}
		e.c.Components = append(e.c.Components, a.c)
		return true
	})
}

// alertText is what an alert says that has no words of its own.
func alertText(of *ical.Component) string {
	if text := of.Text("SUMMARY"); text != "" {
		return text
	}
	return "Alert"
}

// action gives an alarm its ACTION and what that demands (RFC 5545 3.6.6).
func (e *entry) action(a *conversion) {
	if a.keptProp("ACTION") != nil && a.o["action"] == nil {
		return
	}
	action, _ := a.o["action"].(string)
	switch {
	case action == "email" && a.keptProp("ATTENDEE") != nil:
		a.c.Add(ical.NewProperty("ACTION", "EMAIL"))
	case action == "" || action == "display" || action == "email":
		if action == "email" {
			e.losses.at(a.path, "whom the alert writes to is not said: it is displayed")
		}
		a.c.Add(ical.NewProperty("ACTION", "DISPLAY"))
	default:
		return // kept as JSPROP, and ACTION as it was
	}
	delete(a.o, "action")
	text := alertText(e.c)
	if a.keptProp("DESCRIPTION") == nil {
		a.c.Add(ical.NewText("DESCRIPTION", text))
	}
	if action == "email" && a.keptProp("SUMMARY") == nil && a.keptProp("ATTENDEE") != nil {
		a.c.Add(ical.NewText("SUMMARY", text))
	}
}
