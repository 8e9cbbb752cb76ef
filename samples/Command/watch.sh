#!/bin/sh
# Counts to N (default 30), one a second, with a file as its state. Fails once on its way (at FAIL_AT, default 10), to show a restart.
#   ACTORTRAINER_CHECKPOINT_DIR  files that appear there complete become a checkpoint (default: ./checkpoints)
#   ACTORTRAINER_RESTORE_DIR     the files of the last checkpoint; not set on a start from nothing
set -eu

last=${1:-30}
fail_at=${FAIL_AT:-10}
checkpoints=${ACTORTRAINER_CHECKPOINT_DIR:-checkpoints}
mkdir -p "$checkpoints"

count=0
failed=no
if [ -n "${ACTORTRAINER_RESTORE_DIR:-}" ] && [ -f "$ACTORTRAINER_RESTORE_DIR/state" ]; then
    read -r count failed < "$ACTORTRAINER_RESTORE_DIR/state"
    echo "resumed at $count"
fi

save() {
    # Under another name first: the file appears complete or not at all.
    echo "$count $failed" > "$checkpoints/.state.tmp"
    mv "$checkpoints/.state.tmp" "$checkpoints/state"
}

while [ "$count" -lt "$last" ]; do
    sleep "${PAUSE:-1}"
    count=$((count + 1))
    echo "count $count of $last"
    if [ "$count" -eq "$fail_at" ] && [ "$failed" = no ]; then
        # The state goes on from here, so the next run knows that it failed already.
        failed=yes
        save
        echo "failing on purpose at $count" >&2
        sleep "${PAUSE:-1}"
        exit 3
    fi
    save
done
echo "counted to $last"
