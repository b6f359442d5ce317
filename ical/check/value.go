package check

import (
	"encoding/base64"
	"fmt"
	"regexp"
	"strconv"
	"strings"

	"github.com/convene-cal/convene/ical"
)

// valueForms judge a single value of a type: "" when it is well-formed, else
// what it should be (RFC 5545 3.3).
var valueForms = map[ical.ValueType]struct {
	section string
	judge   func(string) string
}{
	ical.Binary:       {"RFC 5545 3.3.1", binary},
	ical.Boolean:      {"RFC 5545 3.3.2", oneOf("TRUE", "FALSE")},
	ical.CalAddress:   {"RFC 5545 3.3.3", calAddress},
	ical.DateType:     {"RFC 5545 3.3.4", date},
	ical.DateTime:     {"RFC 5545 3.3.5", dateTime},
	ical.DurationType: {"RFC 5545 3.3.6", duration},
	ical.Float:        {"RFC 5545 3.3.7", matches(`^[+-]?\d+(\.\d+)?$`, "a number such as 37.386013")},
	ical.Integer:      {"RFC 5545 3.3.8", integer},
	ical.PeriodType:   {"RFC 5545 3.3.9", period},
	ical.Recur:        {"RFC 5545 3.3.10", func(string) string { return "" }}, // judged part by part in rule.go
	ical.Text:         {"RFC 5545 3.3.11", text},
	ical.TimeType:     {"RFC 5545 3.3.12", matches(`^([01]\d|2[0-3])[0-5]\d([0-5]\d|60)Z?$`, "a time such as 083000")},
	ical.URI:          {"RFC 5545 3.3.13", uri},
	ical.UTCOffset:    {"RFC 5545 3.3.14", utcOffset},
	ical.UID:          {"RFC 9253 7", text},
	ical.XMLReference: {"RFC 9253 7", uri},
}

func oneOf(words ...string) func(string) string {
	return func(s string) string {
		for _, w := range words {
			if strings.EqualFold(s, w) {
				return ""
			}
		}
		return "one of " + strings.Join(words, ", ")
	}
}

func matches(pattern, should string) func(string) string {
	re := regexp.MustCompile(pattern)
	return func(s string) string {
		if re.MatchString(s) {
			return ""
		}
		return should
	}
}

func binary(s string) string {
	if _, err := base64.StdEncoding.Strict().DecodeString(s); err != nil {
		return "base64 text"
	}
	return ""
}

var scheme = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9+.-]*:`)

// uri judges RFC 3986's characters; a non-ASCII one makes it an IRI.
func uri(s string) string {
	if !scheme.MatchString(s) {
		return "a URI, with a scheme"
	}
	for i := 0; i < len(s); i++ {
		if s[i] <= ' ' || s[i] >= 0x7f || strings.IndexByte("<>\"{}|\\^`", s[i]) >= 0 {
			return fmt.Sprintf("a URI, in which %q must be percent-encoded", s[i:i+1])
		}
	}
	return ""
}

func calAddress(s string) string {
	if !scheme.MatchString(s) {
		return "a calendar user address such as mailto:ann@example.com"
	}
	if len(s) >= 7 && strings.EqualFold(s[:7], "mailto:") {
		if at := strings.LastIndexByte(s, '@'); at < 8 || at == len(s)-1 || strings.ContainsAny(s, " \t<>") {
			return "a calendar user address such as mailto:ann@example.com"
		}
		return "" // RFC 6532 allows UTF-8 in a mailbox
	}
	return uri(s)
}

func date(s string) string {
	if len(s) == 8 && nameLength(s) == 8 {
		if t, err := ical.ParseTime(s, "", true); err == nil && t.String() == s {
			return ""
		}
	}
	return "a date such as 20260131"
}

func dateTime(s string) string {
	body := strings.TrimSuffix(s, "Z")
	if len(body) == 15 && body[8] == 'T' && date(body[:8]) == "" && clock.MatchString(body[9:]) {
		return ""
	}
	return "a date and time such as 20260131T083000 or 20260131T083000Z"
}

var clock = regexp.MustCompile(`^([01]\d|2[0-3])[0-5]\d([0-5]\d|60)$`)

var durationForm = regexp.MustCompile(`^[+-]?P(\d+W|(\d+D)?(T(\d+H(\d+M(\d+S)?)?|\d+M(\d+S)?|\d+S))?)$`)

func duration(s string) string {
	if durationForm.MatchString(s) && !strings.HasSuffix(s, "P") {
		if _, err := ical.ParseDuration(s); err == nil {
			return ""
		}
	}
	return "a duration such as PT1H30M or P7D"
}

func integer(s string) string {
	if _, err := strconv.ParseInt(s, 10, 32); err != nil {
		return "an integer between -2147483648 and 2147483647"
	}
	return ""
}

func period(s string) string {
	start, end, ok := strings.Cut(s, "/")
	if !ok || dateTime(start) != "" {
		return "a period such as 20260131T083000Z/PT1H"
	}
	if strings.ContainsRune(end, 'P') {
		if d, err := ical.ParseDuration(end); duration(end) != "" || err != nil || d.Days < 0 || d.Exact < 0 {
			return "a period with a positive duration"
		}
		return ""
	}
	if dateTime(end) != "" {
		return "a period such as 20260131T083000Z/20260131T093000Z"
	}
	if strings.HasSuffix(start, "Z") == strings.HasSuffix(end, "Z") && end <= start {
		return "a period that starts before it ends"
	}
	return ""
}

func text(s string) string {
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			if i++; i == len(s) || strings.IndexByte(`\;,nN`, s[i]) < 0 {
				return `text, in which a backslash stands only in \\ \; \, \n`
			}
		case ',', ';':
			return fmt.Sprintf(`text, in which %q is written "\%c"`, s[i:i+1], s[i])
		}
	}
	return ""
}

var offsetForm = regexp.MustCompile(`^[+-]([01]\d|2[0-3])[0-5]\d([0-5]\d)?$`)

func utcOffset(s string) string {
	if !offsetForm.MatchString(s) || strings.Trim(s, "0") == "-" {
		return "an offset such as +0100 or -0530"
	}
	return ""
}

// textItems splits a comma-separated list of TEXT, escapes kept.
func textItems(s string) []string {
	var items []string
	start := 0
	for i := 0; i < len(s); i++ {
		switch s[i] {
		case '\\':
			i++
		case ',':
			items = append(items, s[start:i])
			start = i + 1
		}
	}
	return append(items, s[start:])
}
