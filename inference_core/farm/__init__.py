"""Many photos or clips on several processes of this machine: what is whole is skipped, what dies is tried again."""
