#!/bin/bash
# Stops this machine when there was neither load nor a session for IDLE_MINUTES.
set -u
since=${STATE:-/run/idle-since}
uptime=$(cut -d. -f1 "${PROC:-/proc}/uptime")

has_session() {  # of Session Manager (a forwarded port, too), or of a terminal
  [ -n "$(who)" ] || pgrep -f 'ssm-session-worker|session-manager-plugin' > /dev/null
}

has_load() {  # one fifth of a core over five minutes, or a GPU at work
  awk '{exit !($2 >= 0.2)}' "${PROC:-/proc}/loadavg" && return 0
  command -v nvidia-smi > /dev/null || return 1
  nvidia-smi --query-gpu=utilization.gpu --format=csv,noheader,nounits \
    | awk '$1 >= 5 {busy = 1} END {exit !busy}'
}

if has_session || has_load || [ ! -s "$since" ]; then
  echo "$uptime" > "$since"
elif [ $((uptime - $(cat "$since"))) -ge $((IDLE_MINUTES * 60)) ]; then
  echo "idle for $IDLE_MINUTES minutes"
  systemctl poweroff
fi
