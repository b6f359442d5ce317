package archtest

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

const module = "github.com/convene-cal/convene/"

// policy has a line for each package or subtree ("x/..."): what of this module
// it may import. The longest matching line counts, and a package without a
// line fails: where it belongs is decided when it is born. Imports point down
// (ARCHITECTURE.md), never sideways between front ends or between transports.
const policy = `
ical                       -
ical/recur                 ical
ical/tz                    ical ical/recur
ical/freebusy              ical ical/recur ical/tz
ical/check                 ical ical/recur ical/tz
ical/internal/typed        ical
ical/jcal                  ical ical/internal/typed
ical/xcal                  ical ical/internal/typed
ical/vcal1                 ical ical/recur ical/tz
ical/jscal                 ical ical/recur ical/tz ical/jcal ical/internal/typed
itip                       ical ical/recur ical/tz ical/freebusy
imip                       ical ical/tz itip imip/cms imip/pgp imip/tnef imip/phrase
imip/phrase                -
imip/tnef                  ical ical/tz
imip/cms                   -
imip/smime                 imip/cms
imip/pgp                   -
caldav                     ical ical/recur ical/tz
cip                        ical ical/tz ical/freebusy ical/vcal1
internal/problem           -
internal/spill             -
internal/doctor            ical/tz internal/config internal/mailauth internal/store
internal/config            internal/problem
internal/store             ical internal/problem
internal/store/...         internal/store
internal/acl               internal/problem internal/store
internal/account           ical imip/phrase internal/problem internal/store
internal/mailauth          internal/trust
internal/mailbox           -
internal/keyring           imip imip/... internal/problem internal/store
internal/trust             ical itip imip/cms imip/smime internal/problem
internal/gate              ical itip internal/problem internal/store internal/account internal/trust
internal/journal           ical itip internal/problem internal/store
internal/calendar          ical ical/... itip internal/problem internal/store internal/acl internal/account internal/journal
internal/transport/local   ical ical/... itip internal/problem internal/store internal/account internal/journal internal/calendar
internal/transport/transporttest ical internal/journal internal/store
internal/transport/mail    ical ical/... itip imip imip/... internal/problem internal/store internal/account internal/gate internal/keyring internal/mailauth internal/trust internal/journal internal/calendar
internal/transport/cip     ical ical/... itip cip internal/problem internal/store internal/account internal/gate internal/trust internal/journal internal/calendar
internal/davserver         ical ical/... caldav itip internal/problem internal/store internal/acl internal/account internal/journal internal/calendar
internal/publicnet         -
internal/push              caldav internal/calendar internal/publicnet
internal/subscription      internal/problem internal/publicnet internal/store internal/calendar
internal/web               ical ical/... itip imip/phrase internal/problem internal/store internal/acl internal/account internal/journal internal/calendar internal/trust internal/keyring internal/gate
internal/web/...           -
internal/server             ical ical/tz itip cip internal/...
internal/cli               ical ical/... itip imip imip/... cip internal/...
internal/harness/...       ical ical/... itip imip imip/... caldav internal/...
internal/archtest          -
internal/bench/...         ical ical/... itip imip caldav cip internal/...
e2e                        ical internal/harness/...
cmd/convene                internal/cli
`

func TestImportsPointDown(t *testing.T) {
	rules := map[string][]string{}
	for line := range strings.Lines(strings.TrimSpace(policy)) {
		f := strings.Fields(line)
		rules[f[0]] = f[1:]
	}
	matches := func(pattern, pkg string) bool {
		tree, ok := strings.CutSuffix(pattern, "...")
		return pattern == pkg || ok && strings.HasPrefix(pkg, tree)
	}
	root := filepath.Join("..", "..")
	files := 0
	err := filepath.WalkDir(root, func(file string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == "testdata" || d.Name() == ".git" || d.Name() == "node_modules" || otherModule(root, file)) {
			return fs.SkipDir
		}
		if path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
			return nil
		}
		files++
		rel, err := filepath.Rel(root, file)
		if err != nil {
			return err
		}
		pkg := path.Dir(filepath.ToSlash(rel))
		best := ""
		for pattern := range rules {
			if matches(pattern, pkg) && len(pattern) > len(best) {
				best = pattern
			}
		}
		if best == "" {
			t.Errorf("%s: no line in policy for package %s", rel, pkg)
			return nil
		}
		f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		for _, imp := range f.Imports {
			dep, ours := strings.CutPrefix(strings.Trim(imp.Path.Value, `"`), module)
			if ours && dep != pkg && !slices.ContainsFunc(rules[best], func(p string) bool { return matches(p, dep) }) {
				t.Errorf("%s imports %s; policy line %q does not allow it", rel, dep, best)
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("found no Go file: the walk starts in the wrong place")
	}
}

// otherModule tells the folder of a module of its own (bench/peers), which is
// no part of the product.
func otherModule(root, dir string) bool {
	_, err := os.Stat(filepath.Join(dir, "go.mod"))
	return err == nil && filepath.Clean(dir) != filepath.Clean(root)
}

// Domain packages are values in, values out (ARCHITECTURE.md): these imports
// would give them a network, a clock of their own, or a logger.
func TestDomainPackagesArePure(t *testing.T) {
	forbidden := []string{"net", "net/http", "os", "log", "log/slog", "database/sql", "os/exec"}
	for _, dir := range []string{"ical", "itip", "imip", "caldav", "cip", "cap"} {
		filepath.WalkDir(filepath.Join("..", "..", dir), func(file string, d fs.DirEntry, err error) error {
			if err != nil || d.IsDir() || path.Ext(file) != ".go" || strings.HasSuffix(file, "_test.go") {
				return nil
			}
			f, err := parser.ParseFile(token.NewFileSet(), file, nil, parser.ImportsOnly)
			if err != nil {
				t.Error(err)
				return nil
			}
			for _, imp := range f.Imports {
				if p := strings.Trim(imp.Path.Value, `"`); slices.Contains(forbidden, p) {
					t.Errorf("%s imports %s: a domain package does no I/O", file, p)
				}
			}
			return nil
		})
	}
}
