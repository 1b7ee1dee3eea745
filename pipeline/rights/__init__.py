"""Rule 11: what changed since the last accepted version of a row, and who may change it.

A new or changed row of a guarded sheet counts only if its Last edited by is an active
user whose role may Edit that area. Otherwise the last accepted version stays in force.
Staff and Roles are those accepted by the last run, so nobody grants himself a right and
uses it the same night; the first night's are taken as they are.
"""
