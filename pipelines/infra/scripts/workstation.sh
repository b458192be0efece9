# Sets this machine up at its first start; what it says is in /var/log/cloud-init-output.log.
# The limits come first: a machine whose set-up fails stops, too.
set -euo pipefail
prefix=${PREFIX:-}  # a test's folder, in the place of /

write() {  # write PATH: what stands on the standard input
  mkdir -p "$(dirname "$prefix$1")"
  cat > "$prefix$1"
}

say() {  # to the log, and to whoever opens a session
  echo "$*" | tee -a "$prefix/etc/motd"
}

mkdir -p "$prefix/etc"

# --- It stops by itself -------------------------------------------------------------------------
write /etc/pipelines-workstation <<END
IDLE_MINUTES=$IDLE_MINUTES
END
write /usr/local/bin/stop-when-idle <<'END'
@STOP_WHEN_IDLE@
END
chmod 755 "$prefix/usr/local/bin/stop-when-idle"
write /etc/systemd/system/stop-when-idle.service <<END
[Service]
Type=oneshot
EnvironmentFile=/etc/pipelines-workstation
ExecStart=/usr/local/bin/stop-when-idle
END
write /etc/systemd/system/stop-when-idle.timer <<END
[Timer]
OnBootSec=5min
OnUnitActiveSec=5min
[Install]
WantedBy=timers.target
END
write /etc/systemd/system/stop-at-the-latest.service <<END
[Service]
Type=oneshot
ExecStart=/usr/bin/systemctl poweroff
END
write /etc/systemd/system/stop-at-the-latest.timer <<END
[Timer]
OnBootSec=${MAXIMUM_HOURS}h
[Install]
WantedBy=timers.target
END
systemctl daemon-reload
systemctl enable --now stop-when-idle.timer stop-at-the-latest.timer

trap 'say "The set-up failed in line $LINENO: see /var/log/cloud-init-output.log."' ERR

# --- Whose machine it is ------------------------------------------------------------------------
owner=root
for name in ubuntu ec2-user; do
  if id -u "$name" > /dev/null 2>&1; then owner=$name; break; fi
done
home=$prefix$(getent passwd "$owner" | cut -d: -f6)
mkdir -p "$home"
as_owner() { runuser -u "$owner" -- env HOME="$home" "$@"; }
wheel=$(mktemp -d)/${TOOL##*/}
aws s3 cp --only-show-errors "$TOOL" "$wheel"

# --- Python: that of the AMI's framework, where it has one --------------------------------------
python=
for candidate in "$prefix"/opt/*/bin/python3 python3; do
  if "$candidate" - > /dev/null 2>&1 <<'END'
import sys
from importlib.util import find_spec
sys.exit(sys.version_info < (3, 11) or not (find_spec("torch") or find_spec("tensorflow")))
END
  then python=$candidate; break; fi
done
for candidate in ${python:-python3 python3.13 python3.12 python3.11}; do
  if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2> /dev/null; then
    python=$candidate; break
  fi
done
if [ -z "$python" ]; then say "There is no Python 3.11 or later: choose another AMI."; exit 1; fi

# The environment sees the AMI's packages, and pip does not replace its frameworks by others.
environment=$home/environment
as_owner "$python" -m venv "$environment"
pip() { as_owner "$environment/bin/python" -m pip --disable-pip-version-check "$@"; }
packages=$("$environment/bin/python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))')
"$python" -c 'import sysconfig; print(sysconfig.get_path("purelib"))' > "$packages/ami.pth"
pip freeze | { grep -iE '^(torch|tensorflow|nvidia|triton|numpy)[a-z0-9_-]*==' || true; } \
  > "$environment/frameworks.txt"
chmod -R a+rX "$(dirname "$wheel")"
pip install --quiet --constraint "$environment/frameworks.txt" "$wheel[aws,serve]" jupyterlab

# --- The project --------------------------------------------------------------------------------
project=$home/project
if [ -z "$REPOSITORY" ]; then
  say "No repository was named: clone yours into ~/project."
elif as_owner env GIT_TERMINAL_PROMPT=0 \
  git clone --quiet --branch "$BRANCH" -- "$REPOSITORY" "$project"
then
  if [ -f "$project/requirements.txt" ]; then
    pip install --quiet --constraint "$environment/frameworks.txt" -r "$project/requirements.txt"
  fi
else
  say "The repository is not public: git clone --branch $BRANCH $REPOSITORY ~/project"
fi
mkdir -p "$project"
chown "$owner" "$project"
echo ". ~/environment/bin/activate; cd ~/project" | tee -a "$home/.profile" > /dev/null

# --- JupyterLab, for whoever forwards its port --------------------------------------------------
write /etc/systemd/system/jupyterlab.service <<END
[Unit]
After=network.target
[Service]
User=$owner
WorkingDirectory=${project#"$prefix"}
ExecStart=${environment#"$prefix"}/bin/jupyter lab --ip=127.0.0.1 --port=8888 --no-browser
Restart=on-failure
[Install]
WantedBy=multi-user.target
END
systemctl daemon-reload
systemctl enable --now jupyterlab.service
say "Ready: sudo su - $owner opens the project; jupyter server list shows JupyterLab's address."
