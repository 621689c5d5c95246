/** Cells along each side of the mean chest. */
export const meanChestSide = 32;

/**
 * The mean of the frontal films that the recipe trains on, adults and children alike, row by row, 0 black to 255 white. Made by
 * `models/recipe/mean_chest.py`; no film of it can be told from any other.
 */
export const meanChest: Uint8Array = Buffer.from(
  [
    'CA0XGRwgIygwP1RviqCvtbWxo451WkIzKiUiIBsVDw0IESMlKS0yNz9LXXOJnaqwsa2fjHdhTUA3Mi0pJBwRCRMeLTY8Q0lP',
    'VmBtfI2dqq6urKCQgHBiV1BJRD84LyASIS4/SlNaYmhtdHuCjZuorK2qno+FfXVvaWJbVU1BMCAvP1FeZ3B4fYCBgYKJl6Wr',
    'rKmaiYKCgoB+eHBnXlFALzpMXmx3gYiLioV/fIKSo6uuqJWCe36EiIqGf3ZrXk08Q1RmdYKMkpKLgHdzeo2hrbGpkXpydX6I',
    'jo+Jf3NmVkVJWmt6iJOXk4V2a2l0iaGwtaqPdWlqdIKOko+EeGpbS01bbHyLlpmQfWtgYW6GorS5ro9xYmFqeoqTkYd5a1xO',
    'TlprfY2YmIt1Yllca4WjuL6yk3JgW2NzhpKSiHlpWk5MV2l8j5mWhG5dVltrhqa8w7iZd2JbX26BkJOKeWdXTElTZnyQmpR+',
    'aFlVXW+Lq8HIvaGAaV1eanyOlIt4ZFNIRE5je5GakHlkWFZgdZGxxszCqoxzY19oeYyUjHdgTkM/SF96kpmLdGFWWGV8mLfM',
    '0ciymH9qYmd2iZOMdlxIPjlDW3qSl4dwX1dbbISgvdHVzbmji3RnaXSFko11WUI4Nz5YeZKUg25fWWBzjKfE1drTwa2Xf25s',
    'dIOQjXRVPTIyOVV4kpF/bGBeaHyTrsnZ3tjItqOLd3B0gY2Mc1I4LSg0U3iQjXxsY2Rvgpm0zt7i3M6+rpiDd3Z/i4pzUDMn',
    'IzBReI+Jem5oanaHnrnT4eXg08W3pI9/en+JiXNOMCMeLU93jIZ5cG1xfIyivtfk6OPWyr+umYd+f4eHckwtHxoqTneJhHp1',
    'dXqDkafC2ebq5tnOxLajj4KAhYVxSiobFydMdYeDfXt9gouYrMXc6ezo29DHu6qWh4GEg29JJxgTJUtzhYSCg4iNlaGzyt/r',
    '7urc0sq/r5yLg4OBbUcjFA8iSXKEhomPlp6lr77R4+3w7N7UzcO0opGGgn9rRCARDCBIcYWMlJ+osbjAy9no8PPu4NfQyLuq',
    'mYyEfWlCHQ0IHkdwiJWir7vDytDX4e309fDk29bPxLWklYl+Z0AaCQUcR3GMn7G/y9PZ3eHo8vf48+jh3dfOwLCgkYFnPhcG',
    'AxpGc5OqvczX3+Tn6e72+vr27Obj3dbLvKyahmg9FQQBGUZ1mbPG1d/m6+7w8/n8/Pnw6+fi3NLGtqOLaj0UAwAZR3eduMzb',
    '5Ovw8vT3/P7++vPu6ubf18y+q5FtPRQCARpIeqG90N7o7vL19vn9//779O/s5+HZz8KwlW8/FQMFH01+pcDS3+ju8fP19/v8',
    '+/jy7erl4NnPxLOZckIYBg==',
  ].join(''),
  'base64',
);
