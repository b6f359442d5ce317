package web

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// Caches may keep an asset for ever because its name changes with its content.
func TestAssetsAreImmutableAndNamedByContent(t *testing.T) {
	a, err := loadAssets()
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	mux.Handle("GET /assets/{file}", a)
	get := func(path string) *httptest.ResponseRecorder {
		w := httptest.NewRecorder()
		mux.ServeHTTP(w, httptest.NewRequest("GET", path, nil))
		return w
	}
	types := map[string]string{"main.tsx": "text/javascript; charset=utf-8", "style.css": "text/css; charset=utf-8", "icon.svg": "image/svg+xml"}
	for source, contentType := range types {
		url := a.URL(source)
		if !regexp.MustCompile(`-[A-Z0-9]{8}\.(js|css|svg)$`).MatchString(url) {
			t.Errorf("%s is served as %s, without a hash in its name", source, url)
		}
		w := get(url)
		if w.Code != 200 || w.Header().Get("Content-Type") != contentType || !strings.Contains(w.Header().Get("Cache-Control"), "immutable") || w.Body.Len() == 0 {
			t.Errorf("GET %s: %d %v, %d octets", url, w.Code, w.Header(), w.Body.Len())
		}
	}
	small := httptest.NewRequest("GET", a.URL("main.tsx"), nil)
	small.Header.Set("Accept-Encoding", "br, gzip")
	w := httptest.NewRecorder()
	mux.ServeHTTP(w, small)
	if plain := get(a.URL("main.tsx")); w.Header().Get("Content-Encoding") != "gzip" || w.Body.Len() >= plain.Body.Len() || plain.Header().Get("Content-Encoding") != "" {
		t.Errorf("compressed: %v, %d of %d octets", w.Header(), w.Body.Len(), plain.Body.Len())
	}
	if w := get("/assets/LICENSES.txt"); w.Code != 200 || !strings.Contains(w.Body.String(), "preact 10.") || strings.Contains(w.Header().Get("Cache-Control"), "immutable") {
		t.Errorf("licences: %d %v", w.Code, w.Header())
	}
	for _, path := range []string{"/assets/manifest.json", "/assets/main.js", "/assets/..%2Fassets.go"} {
		if w := get(path); w.Code != 404 {
			t.Errorf("GET %s: %d, want 404", path, w.Code)
		}
	}
}

// The committed bundle is the one its source gives. The packages of the front
// end come by way of Node, which whoever edits it has.
func TestBundleIsUpToDate(t *testing.T) {
	if _, err := os.Stat("../../ui/node_modules/preact"); err != nil {
		if strings.Contains(os.Getenv("CONVENE_REQUIRE"), "node") {
			t.Fatal("the packages of the front end are required: cd ui && npm ci --ignore-scripts")
		}
		t.Skip("SKIP node: ui/node_modules is not there (cd ui && npm ci --ignore-scripts): the committed bundle is not compared with its source")
	}
	out := filepath.Join(t.TempDir(), "dist")
	if text, err := exec.Command("go", "run", "./build", "-ui", "../../ui", "-out", out).CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, text)
	}
	fresh, err := os.ReadDir(out)
	if err != nil {
		t.Fatal(err)
	}
	committed, err := os.ReadDir("dist")
	if err != nil {
		t.Fatal(err)
	}
	if len(fresh) != len(committed) {
		t.Errorf("the build gives %d files, dist has %d; run: go generate ./internal/web", len(fresh), len(committed))
	}
	for _, e := range fresh {
		want, err := os.ReadFile(filepath.Join(out, e.Name()))
		if err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(filepath.Join("dist", e.Name()))
		if err != nil || string(got) != string(want) {
			t.Errorf("dist/%s is not what its source gives (%v); run: go generate ./internal/web", e.Name(), err)
		}
	}
}

// Types are checked where the compiler is; the bundler only removes them.
func TestTypes(t *testing.T) {
	tsc := "../../ui/node_modules/.bin/tsc"
	if _, err := os.Stat(tsc); err != nil {
		if strings.Contains(os.Getenv("CONVENE_REQUIRE"), "node") {
			t.Fatal("the TypeScript compiler is required: cd ui && npm ci --ignore-scripts")
		}
		t.Skip("SKIP node: ui/node_modules/.bin/tsc is not there (cd ui && npm ci --ignore-scripts): types are not checked")
	}
	if text, err := exec.Command(tsc, "--noEmit", "-p", "../../ui").CombinedOutput(); err != nil {
		t.Errorf("tsc: %v\n%s", err, text)
	}
}
