package caldav

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf16"
)

func TestReaderRefusesWhatIsNotWellFormedOrDangerous(t *testing.T) {
	deep := strings.Repeat("<a>", 33) + strings.Repeat("</a>", 33)
	for _, c := range []struct{ name, body, condition string }{
		{"document type (RFC 4918 20.6)", `<!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>`, Malformed},
		{"external entity", `<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>`, Malformed},
		{"billion laughs", `<!DOCTYPE l [<!ENTITY a "ha"><!ENTITY b "&a;&a;">]><l>&b;</l>`, Malformed},
		{"unknown entity", `<a>&nbsp;</a>`, Malformed},
		{"unclosed", `<a><b></a>`, Malformed},
		{"ends early", `<a><b>`, Malformed},
		{"two roots", `<a/><b/>`, Malformed},
		{"text before the root", `x<a/>`, Malformed},
		{"text after the root", `<a/>x`, Malformed},
		{"nothing", ``, Malformed},
		{"only a comment", `<!-- -->`, Malformed},
		{"unbound prefix", `<d:propfind/>`, Malformed},
		{"unbound attribute prefix", `<a b:c="1"/>`, Malformed},
		{"prefix bound to nothing", `<a xmlns:b=""><b:c/></a>`, Malformed},
		{"the namespace of xml by default", `<a xmlns="http://www.w3.org/XML/1998/namespace"/>`, Malformed},
		{"the namespace of xml by another prefix", `<b:a xmlns:b="http://www.w3.org/XML/1998/namespace"/>`, Malformed},
		{"the namespace of namespaces", `<b:a xmlns:b="http://www.w3.org/2000/xmlns/"/>`, Malformed},
		{"attribute twice", `<a b="1" b="2"/>`, Malformed},
		{"unquoted attribute", `<a b=1/>`, Malformed},
		{"control character", "<a>\x01</a>", Malformed},
		{"invalid UTF-8", "<a>\xff</a>", Malformed},
		{"colon first", `<:a/>`, Malformed},
		{"33 levels", deep, BeyondSize},
		{"unknown encoding", `<?xml version="1.0" encoding="ebcdic"?><a/>`, Encoding},
		{"XML 1.1", `<?xml version="1.1"?><a/>`, Malformed},
		{"odd UTF-16", "\xfe\xff\x00<\x00", Malformed},
	} {
		_, err := ParseElement([]byte(c.body), Limits{})
		var e *Error
		if !errors.As(err, &e) || e.Condition != c.condition {
			t.Errorf("%s: %q: error %v, want condition %s", c.name, c.body, err, c.condition)
		}
	}
	for _, c := range []struct {
		name string
		l    Limits
		body string
	}{
		{"elements", Limits{Elements: 10}, "<a>" + strings.Repeat("<b/>", 10) + "</a>"},
		{"octets", Limits{Size: 100}, "<a>" + strings.Repeat(" ", 100) + "</a>"},
		{"attributes", Limits{}, "<a " + manyAttributes(65) + "/>"},
	} {
		_, err := ParseElement([]byte(c.body), c.l)
		var e *Error
		if !errors.As(err, &e) || e.Condition != BeyondSize {
			t.Errorf("too many %s: error %v, want condition %s", c.name, err, BeyondSize)
		}
	}
}

func manyAttributes(n int) string {
	var b strings.Builder
	for i := range n {
		b.WriteString(" a" + strings.Repeat("b", i) + `=""`)
	}
	return b.String()
}

func TestReaderUnderstandsEncodings(t *testing.T) {
	utf16be := func(mark bool, s string) string {
		var b strings.Builder
		if mark {
			b.WriteString("\xfe\xff")
		}
		for _, u := range utf16.Encode([]rune(s)) {
			b.WriteByte(byte(u >> 8))
			b.WriteByte(byte(u))
		}
		return b.String()
	}
	for _, c := range []struct{ name, body string }{
		{"UTF-8", "<a>Zoë 🎂</a>"},
		{"UTF-8 declared", `<?xml version="1.0" encoding="UTF-8"?>` + "<a>Zoë 🎂</a>"},
		{"UTF-8 with mark", "\xef\xbb\xbf<a>Zoë 🎂</a>"},
		{"UTF-16 with mark", utf16be(true, `<?xml version="1.0" encoding="UTF-16"?><a>Zoë 🎂</a>`)},
		{"UTF-16 without mark", utf16be(false, `<?xml version="1.0" encoding="utf-16BE"?><a>Zoë 🎂</a>`)},
		{"Latin-1", `<?xml version="1.0" encoding="ISO-8859-1"?>` + "<a>Zo\xeb &#127874;</a>"},
	} {
		e, err := ParseElement([]byte(c.body), Limits{})
		if err != nil || e.Text() != "Zoë 🎂" {
			t.Errorf("%s: %v, error %v", c.name, e, err)
		}
	}
}

func TestFragmentKeepsWhatRFC4918Section4_3AsksFor(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"plain", `<set xmlns="DAV:"><Z:author xmlns:Z="http://z.example/">Jim &amp; Ann</Z:author></set>`,
			`<Z:author xmlns:Z="http://z.example/">Jim &amp; Ann</Z:author>`},
		{"language from outside", `<set xmlns="DAV:" xml:lang="de"><t xmlns="u:x">Straße</t></set>`,
			`<t xmlns="u:x" xml:lang="de">Straße</t>`},
		{"mixed content, attributes and inner prefixes", `<s xmlns:q="u:q"><v xmlns="u:v" q:a="1" b="&quot;2">x<q:w/>y<v xml:lang="fr"/></v></s>`,
			`<v xmlns="u:v" xmlns:q="u:q" q:a="1" b="&quot;2">x<q:w/>y<v xml:lang="fr"/></v>`},
		{"no namespace", `<D:s xmlns:D="DAV:"><nonamespace>x</nonamespace></D:s>`, `<nonamespace>x</nonamespace>`},
		{"default namespace taken back", `<s xmlns="u:s"><t><u xmlns="">x</u></t></s>`, `<t xmlns="u:s"><u xmlns="">x</u></t>`},
		{"CR, and CDATA with a comment beside it", "<s><t>a&#13;b<![CDATA[<c>]]><!-- x -->d</t></s>", "<t>a&#13;b&lt;c&gt;d</t>"},
	} {
		e, err := ParseElement([]byte(c.in), Limits{})
		if err != nil {
			t.Errorf("%s: %v", c.name, err)
			continue
		}
		var first *Element
		for first = range e.Elements() {
			break
		}
		got := first.Fragment()
		if got != c.want {
			t.Errorf("%s:\n got %s\nwant %s", c.name, got, c.want)
		}
		again, err := ParseElement([]byte(got), Limits{})
		if err != nil || again.Fragment() != got {
			t.Errorf("%s: the fragment %s reads back as %v, %v", c.name, got, again, err)
		}
	}
}

func TestClarkNames(t *testing.T) {
	for _, n := range []Name{D("displayname"), {Local: "x"}, {Space: "a}b", Local: "c"}} {
		got, ok := ParseClark(Clark(n))
		if !ok || got != n {
			t.Errorf("ParseClark(%q) = %v, %v", Clark(n), got, ok)
		}
	}
	for _, s := range []string{"displayname", "{DAV:", "{DAV:}", ""} {
		if _, ok := ParseClark(s); ok {
			t.Errorf("%q is taken for a Clark name", s)
		}
	}
}

// Whatever arrives: no panic, and what is accepted can be written and read again.
func FuzzParseElement(f *testing.F) {
	f.Add(`<a xmlns="u:a" xmlns:b="u:b" b:c="d"><b:e>f<![CDATA[g]]></b:e><!--h--></a>`)
	f.Add(`<?xml version="1.0" encoding="iso-8859-1"?><a>` + "\xeb</a>")
	f.Add("\xfe\xff\x00<\x00a\x00/\x00>")
	f.Fuzz(func(t *testing.T, body string) {
		e, err := ParseElement([]byte(body), Limits{Size: 1 << 16, Elements: 1000})
		if err != nil {
			var mine *Error
			if !errors.As(err, &mine) {
				t.Fatalf("%v is not an *Error", err)
			}
			return
		}
		text := e.Fragment()
		again, err := ParseElement([]byte(text), Limits{})
		if err != nil {
			t.Fatalf("%q was read and written as %q, which is refused: %v", body, text, err)
		}
		if got := again.Fragment(); got != text {
			t.Fatalf("%q is written as %q and then as %q", body, text, got)
		}
	})
}

// This took minutes while each comment copied the text before it.
func TestTextCutByCommentsIsReadInLinearTime(t *testing.T) {
	const n = 500_000
	p, err := ParsePropPatch([]byte(`<propertyupdate xmlns="DAV:"><set><prop><x xmlns="e:">`+strings.Repeat("abcdef<!---->", n)+`</x></prop></set></propertyupdate>`), Limits{})
	if err != nil || len(p) != 1 {
		t.Fatalf("%d, %v", len(p), err)
	}
}
