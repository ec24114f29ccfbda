#!/usr/bin/env bash
# Tries a wheel and a source archive as a stranger installs them: bash .ci/try_built.sh DIST PYTHON [PACKAGES]
# Each is installed into a fresh environment and reads a sample log, away from the checkout. With PACKAGES, a folder of
# site-packages that has the requirements and hatchling, nothing is downloaded.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
dist=$(cd "$1" && pwd)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export PIP_DISABLE_PIP_VERSION_CHECK=1

"$2" -m venv "$work/env"
python=$work/env/bin/python
options=()
if [ -n "${3:-}" ]; then
  echo "$3" >"$("$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')/requirements.pth"
  options=(--no-deps --no-build-isolation --ignore-installed)
fi
cp "$root/sample_logs/clean_Q6_K.txt" "$work"

for built in "$dist"/*.whl "$dist"/*.tar.gz; do
  "$python" -m pip uninstall --quiet --yes comfyui-loganalyzer 2>/dev/null || true
  "$python" -m pip install --quiet "${options[@]}" "$built"
  (
    cd "$work"
    "$python" -c 'import loganalyzer, sys; sys.exit(not loganalyzer.__file__.startswith(sys.prefix))'
    "$python" -m loganalyzer clean_Q6_K.txt --no-html
    env/bin/loganalyze --version
    env/bin/comfyui-loganalyzer --version
  )
done
echo "the wheel and the source archive work"
