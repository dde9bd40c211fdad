#!lua name=trio_chat
-- The order of all events of a chat that several servers ("nodes") share.
--
-- Each function is one step that nobody sees half done: the engine runs one at a time. All of a
-- chat's keys have its name in braces, so that they are in one slot. A function reads its arguments
-- to the end and refuses them before it writes anything: what was written before an error stays.
--
-- The library, and with it each function, is named after this text's digest (library.py), so nodes
-- of two versions can share an engine while they are replaced. So the meaning of what is in the
-- keys must not change from one version to the next; fields may be added behind those there are.
--
-- The user of a chat NAME needs no more rights than these (ACL SETUSER):
--   ~{NAME}* +fcall +function|load +xread +info +time +xadd +xrange +hget +hset +hsetnx +hmget
--   +hgetall +hkeys +hdel +hlen +hexists +rename +unlink +del
--
-- KEYS are always all of these, in this order:
local LOG = 1 -- the stream: each entry has its fields in the order in which "add" writes them
-- Of the whole chat: "chat" (its id in the files of all nodes), "last" and "base" (ids), "count" (of
-- entries, ever), "epoch" (the run of the engine), "healing" (until when nodes may give back what it
-- has lost), "top" (an id that some node has seen), "beat" (when anybody has beaten last), "spared"
-- (until when nobody is declared gone), "turned" (when the barriers were). Moments are in unix
-- milliseconds.
local META = 2
local BARRIERS, OLD_BARRIERS = 3, 4 -- by room, the id of its last barrier
local TOKENS, OLD_TOKENS = 5, 6 -- by token, the id of its entry
-- By node that lives, as JSON: "name", "since" and "beat" (moments), "lease" (ms), "seen" (id).
local NODES = 7
local REPLIES = 8 -- by node, the number of its last flush, and the reply to it
-- By node that was declared gone, and is to be cleared up: as NODES, and "by", which node does it.
local GONE = 9
-- What came back in this epoch: by origin, the id; by node, its last flush; and by "@" and node,
-- that it has given back all it knows.
local HEALED = 10
local CHECKPOINT = 11 -- the state of all after an entry: "id" and "data"

-- A hash of two generations: when the new one is full it becomes the old one, and the one before is
-- dropped by a thread of the engine. So something is always known for one generation at least.
local TOKENS_EACH = 500000
-- A barrier is known for an hour at least: nobody judges by what is older, as "seen" has it.
local BARRIERS_EACH, BARRIERS_LAST = 10000, 3600000

-- What one flush may hold: so much is done within some milliseconds, in which others wait.
local APPENDS, BYTES = 256, 1048576

-- For how long at least nodes may give back what another run of the engine lacks (milliseconds).
local HEALING_LEAST = 2000

-- "seq" has six digits in our ids.
local SEQ_MAX = 999999

-- The engine's clock, in unix milliseconds.
local function clock()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- The milliseconds and the sequence of an id; its width is fixed, so ids compare as texts do.
local function split(id)
  return tonumber(string.sub(id, 1, 13)), tonumber(string.sub(id, 15))
end

-- The id after another one. It never goes back, whatever the clock does.
local function following(id, now)
  local ms, seq = split(id)
  if now > ms then
    ms, seq = now, 0
  elseif seq < SEQ_MAX then
    seq = seq + 1
  else
    ms, seq = ms + 1, 0
  end
  return string.format('%013d-%06d', ms, seq)
end

local function turn(new, old)
  redis.call('UNLINK', old)
  redis.call('RENAME', new, old)
end

local function known(new, old, field)
  return redis.call('HGET', new, field) or redis.call('HGET', old, field)
end

-- Puts an entry at the end of the stream. The fields' names and order are the same for all, which
-- is how a stream stores them without their names.
local function add(keys, keep, id, fields)
  redis.call('XADD', keys[LOG], 'MAXLEN', '~', keep, id, 'n', fields.n, 't', fields.at,
    'r', fields.room, 'a', fields.also, 'b', fields.barrier, 'k', fields.token, 'o', fields.origin,
    'd', fields.data)
  if fields.token ~= '' then
    redis.call('HSET', keys[TOKENS], fields.token, id)
  end
  if fields.barrier == '1' then
    redis.call('HSET', keys[BARRIERS], fields.room, id)
    if fields.also ~= '' then
      redis.call('HSET', keys[BARRIERS], fields.also, id)
    end
  end
end

local function nodes_of(key)
  local flat, nodes = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do
    nodes[flat[i]] = cjson.decode(flat[i + 1])
  end
  return nodes
end

local function set_node(key, node, it)
  redis.call('HSET', key, node, cjson.encode(it))
end

-- Another run of the engine than the one before may have lost the end of the stream: with
-- "appendfsync everysec" by a power cut, with replicas by a fail-over. So nobody gets a place until
-- all that live have given back what they have seen; or for one lease, in which whoever lives has
-- come back. For as long, nobody is declared gone.
local function begin_epoch(keys, epoch, now)
  local longest = HEALING_LEAST -- those that have come since may be lost as well
  for _, it in pairs(nodes_of(keys[NODES])) do
    longest = math.max(longest, it.lease)
  end
  redis.call('DEL', keys[HEALED])
  redis.call('HSET', keys[META], 'epoch', epoch, 'spared', now + longest, 'healing', now + longest)
end

-- What is true of the chat, for a call of a node that is connected to this run of the engine.
local function meta_of(keys, epoch, now)
  local meta = redis.call('HMGET', keys[META], 'last', 'count', 'epoch', 'healing', 'top')
  if meta[1] and meta[3] ~= epoch then -- a chat that it knows
    begin_epoch(keys, epoch, now)
    meta[4] = redis.call('HGET', keys[META], 'healing')
  end
  return {last = meta[1], count = tonumber(meta[2]), top = meta[5] or meta[1],
    healing = meta[4] and now < tonumber(meta[4])}
end

-- The answer to a node that is gone. What it has seen may be wanted first.
local function gone(keys, epoch, now)
  return meta_of(keys, epoch, now).healing and 'wait' or 'gone'
end

-- Notes what a node has seen. Even if the engine has lost it, its id is given to nothing else.
local function note_seen(keys, seen)
  local meta = redis.call('HMGET', keys[META], 'last', 'top')
  if seen > (meta[2] or meta[1]) then
    redis.call('HSET', keys[META], 'top', seen)
  end
end

-- Reads the appends of a flush: room, expect, barrier ("0" or "1"), also, also_expect, count of
-- records, and for each record: token, data. Returns nil if they are not as they must be.
local function parse(args, i)
  local appends, bytes = {}, 0
  while i <= #args do
    local append = {room = args[i], expect = args[i + 1], barrier = args[i + 2],
      also = args[i + 3], also_expect = args[i + 4], records = {}}
    local count = tonumber(args[i + 5])
    i = i + 6
    if not count or count < 1 or i + 2 * count - 1 > #args then
      return nil
    end
    for _ = 1, count do
      append.records[#append.records + 1] = {token = args[i], data = args[i + 1]}
      bytes = bytes + #args[i] + #args[i + 1]
      i = i + 2
    end
    appends[#appends + 1] = append
  end
  if #appends > APPENDS or bytes > BYTES then
    return nil
  end
  return appends
end

-- The barrier that makes a judgement void: one that is later than what was known.
local function conflict(keys, append)
  local barrier = known(keys[BARRIERS], keys[OLD_BARRIERS], append.room)
  if barrier and barrier > append.expect then
    return barrier
  end
  barrier = append.also ~= '' and known(keys[BARRIERS], keys[OLD_BARRIERS], append.also)
  if barrier and barrier > append.also_expect then
    return barrier
  end
end

-- Lets go of the oldest tokens and barriers.
local function forget(keys, now)
  if redis.call('HLEN', keys[TOKENS]) >= TOKENS_EACH then
    turn(keys[TOKENS], keys[OLD_TOKENS])
  end
  if redis.call('HLEN', keys[BARRIERS]) >= BARRIERS_EACH then
    local meta = redis.call('HMGET', keys[META], 'turned', 'last')
    if now - tonumber(meta[1] or 0) >= BARRIERS_LAST then
      turn(keys[BARRIERS], keys[OLD_BARRIERS])
      redis.call('HSET', keys[META], 'turned', now)
    end
  end
end

-- append(epoch, node, flush, keep, appends…): gives places to all that a node has gathered.
--
-- Returns "gone" if the node does not live, for the others; "wait" while what was lost is gathered.
-- Else a line with the engine's clock, and then a line for each append: the ids of its records, "="
-- before one that its token had already; or "!" and the barrier that makes it void.
--
-- "flush" rises by one with each call of a node. If the reply was lost, the node asks again by the
-- same number, and gets the same reply, and nothing is done twice.
local function append(keys, args)
  local node, flush, keep = args[2], args[3], args[4]
  local now = clock()
  if redis.call('HEXISTS', keys[NODES], node) == 0 then
    return gone(keys, args[1], now)
  end
  local before = redis.call('HGET', keys[REPLIES], node)
  if before then
    local number, reply = string.match(before, '^(%d+) (.*)$')
    -- An earlier one was given up by its node, and came late: the reply is for nobody.
    if tonumber(flush) <= tonumber(number) then
      return reply
    end
  end
  local appends = parse(args, 5)
  if not appends then
    return redis.error_reply('ERR a flush is too large, or is not one')
  end
  local meta = meta_of(keys, args[1], now)
  if meta.healing then
    return 'wait'
  end
  -- It was asked before, the engine has lost that, and nodes have given back what they saw of it.
  local came_back = tonumber(redis.call('HGET', keys[HEALED], node) or 0) >= tonumber(flush)
  local n, index = meta.count, 0
  local last = meta.top > meta.last and meta.top or meta.last
  local lines = {string.format('%d', now)}
  for _, each in ipairs(appends) do
    for _, record in ipairs(each.records) do
      index = index + 1
      record.origin = node .. ' ' .. flush .. ' ' .. index
      record.healed = came_back and redis.call('HGET', keys[HEALED], record.origin)
    end
    local barrier = not each.records[1].healed and conflict(keys, each)
    if barrier then
      lines[#lines + 1] = '!' .. barrier
    else
      local ids = {}
      for _, record in ipairs(each.records) do
        local found = not record.healed and record.token ~= ''
          and known(keys[TOKENS], keys[OLD_TOKENS], record.token)
        if record.healed then
          ids[#ids + 1] = record.healed
        elseif found then
          ids[#ids + 1] = '=' .. found
        else
          last, n = following(last, now), n + 1
          add(keys, keep, last, {n = n, at = now, room = each.room, also = each.also,
            barrier = each.barrier, token = record.token, origin = record.origin,
            data = record.data})
          ids[#ids + 1] = last
        end
      end
      lines[#lines + 1] = table.concat(ids, ' ')
    end
  end
  local reply = table.concat(lines, '\n')
  if n > meta.count then
    redis.call('HSET', keys[META], 'last', last, 'count', n)
  end
  redis.call('HSET', keys[REPLIES], node, flush .. ' ' .. reply)
  forget(keys, now)
  return reply
end

-- What a node does, as words of commands; for a check before it takes part, as some of it is asked
-- for much later, or only by its other connection.
local DONE = {'fcall', 'function|load', 'xread', 'info', 'time', 'xadd', 'xrange', 'hget', 'hset',
  'hsetnx', 'hmget', 'hgetall', 'hkeys', 'hdel', 'hlen', 'hexists', 'rename', 'unlink', 'del'}

-- The rights that the user lacks, as ACL SETUSER has them.
local function lacking(key)
  local found = {}
  for _, name in ipairs(DONE) do
    local command, sub = string.match(name, '^(%w+)|?(%w*)$')
    if not redis.acl_check_cmd(command, sub ~= '' and sub or key, key) then
      found[#found + 1] = '+' .. name
    end
  end
  return table.concat(found, ' ')
end

-- enrol(epoch, node, name, lease, seen, chat): lets a node take part. The first one of all may have
-- a history of its own: the stream then begins at the last id of that, and its id is the chat's.
-- Returns where it begins, the id of the last entry, that of the chat, whether nobody else has been
-- there, and how many others are.
local function enrol(keys, args)
  local lack = lacking(keys[META])
  if lack ~= '' then
    return redis.error_reply('NOPERM it lacks ' .. lack)
  end
  local node, name, lease, seen, now = args[2], args[3], tonumber(args[4]), args[5], clock()
  redis.call('HSETNX', keys[META], 'chat', args[6])
  redis.call('HSETNX', keys[META], 'base', seen)
  redis.call('HSETNX', keys[META], 'last', seen)
  redis.call('HSETNX', keys[META], 'count', 0)
  redis.call('HSETNX', keys[META], 'epoch', args[1])
  redis.call('HSETNX', keys[META], 'beat', now)
  meta_of(keys, args[1], now)
  note_seen(keys, seen)
  local others = redis.call('HLEN', keys[NODES]) - redis.call('HEXISTS', keys[NODES], node)
  redis.call('HDEL', keys[GONE], node) -- a reply was lost, and it asks again after its lease
  set_node(keys[NODES], node, {name = name, since = now, beat = now, lease = lease, seen = seen})
  local meta = redis.call('HMGET', keys[META], 'base', 'last', 'chat', 'count')
  local begins = others == 0 and tonumber(meta[4]) == 0
  return {meta[1], meta[2], meta[3], begins and 1 or 0, others}
end

-- Until when nobody is declared gone. If the engine has not heard of anybody for half a lease, it
-- was away itself, or its clock has jumped: then everybody has a lease to come back.
local function spared_until(keys, now, lease)
  local meta = redis.call('HMGET', keys[META], 'beat', 'spared')
  local silence, spared = now - tonumber(meta[1] or 0), tonumber(meta[2] or 0)
  redis.call('HSET', keys[META], 'beat', now)
  if silence < 0 or silence > lease / 2 then
    spared = math.max(spared, now + lease)
    redis.call('HSET', keys[META], 'spared', spared)
  end
  return spared
end

-- beat(epoch, node, seen): tells that a node lives, and declares those gone whose leases lapsed.
--
-- Returns "gone" if that is this node, or "wait" as "append"; else JSON: "count" of all entries,
-- the "nodes" that live, and those that are "gone" and this node is to clear up. Others are told of
-- these only if this node goes before it has, so somebody does; and a lost reply does no harm.
local function beat(keys, args)
  local epoch, node, seen, now = args[1], args[2], args[3], clock()
  local nodes, lost = nodes_of(keys[NODES]), nodes_of(keys[GONE])
  local own = nodes[node]
  if not own then
    return gone(keys, epoch, now)
  end
  own.beat, own.seen = now, seen
  set_node(keys[NODES], node, own)
  local meta = meta_of(keys, epoch, now)
  note_seen(keys, seen)
  local spared, living, ours = spared_until(keys, now, own.lease), {}, {}
  for id, it in pairs(nodes) do
    if it.beat > now then -- the clock has gone back
      it.beat = now
      set_node(keys[NODES], id, it)
    end
    if now >= spared and now - it.beat > it.lease then
      redis.call('HDEL', keys[NODES], id)
      lost[id], nodes[id] = it, nil
    else
      living[#living + 1] = {id, it.name, it.since, it.beat, it.seen}
    end
  end
  for id, it in pairs(lost) do
    if not nodes[it.by or ''] then
      it.by = node
      set_node(keys[GONE], id, it)
    end
    if it.by == node then
      ours[#ours + 1] = id
    end
  end
  local reply = {count = meta.count, nodes = living}
  reply.gone = #ours > 0 and ours or nil -- an empty table would be an object
  return cjson.encode(reply)
end

-- clear(epoch, node, other): forgets a node that is gone, now that this one has cleared it up.
local function clear(keys, args)
  redis.call('HDEL', keys[GONE], args[3])
  return redis.call('HDEL', keys[REPLIES], args[3])
end

-- leave(epoch, node): lets a node go whose people are gone already.
local function leave(keys, args)
  redis.call('HDEL', keys[NODES], args[2])
  return redis.call('HDEL', keys[REPLIES], args[2])
end

-- How many entries there have been up to one; nil if it is not there.
local function position(keys, id)
  if id == redis.call('HGET', keys[META], 'base') then
    return '0'
  end
  local found = redis.call('XRANGE', keys[LOG], id, id)[1]
  return found and found[2][2]
end

-- resume(epoch, node, after): asks whether a node can go on reading after an entry.
--
-- Returns "ok" and how many entries there have been up to there; "heal" and the id of the last
-- entry if the node is to give back first what it knows beyond, which even one may that is gone: it
-- is nothing but what all have seen; "wait" while others may; "gone" if this node is; and "missed"
-- if the entry is not there. Whether the next one is, its number tells.
local function resume(keys, args)
  local epoch, node, after = args[1], args[2], args[3]
  local meta = meta_of(keys, epoch, clock())
  if meta.healing and redis.call('HEXISTS', keys[HEALED], '@' .. node) == 0 then
    return 'heal ' .. meta.last
  end
  if redis.call('HEXISTS', keys[NODES], node) == 0 then
    return 'gone'
  end
  local at = position(keys, after)
  if at then
    return 'ok ' .. at
  end
  return meta.healing and 'wait' or 'missed'
end

-- Ends the healing if every node that lives has given back what it knows.
local function end_healing(keys)
  for _, node in ipairs(redis.call('HKEYS', keys[NODES])) do
    if redis.call('HEXISTS', keys[HEALED], '@' .. node) == 0 then
      return
    end
  end
  redis.call('HDEL', keys[META], 'healing')
end

-- heal(epoch, node, keep, before, done, entries…): gives back what the engine has lost. An entry is
-- its id and the values of its fields; "before" is the id of the one before the first, so that no
-- hole comes to be. Those that are there, or that another node has given back, are passed over: all
-- nodes have seen the same ones, in one order. "done" is "1" if it is all that the node knows.
--
-- Returns "ok"; "closed" if it is too late; "gap" if what is before is not there.
local function heal(keys, args)
  local epoch, node, keep, before, done = args[1], args[2], args[3], args[4], args[5]
  local meta = meta_of(keys, epoch, clock())
  if not meta.healing then
    return 'closed'
  end
  if before > meta.last then
    return 'gap'
  end
  if (#args - 5) % 9 ~= 0 then
    return redis.error_reply('ERR these are no entries')
  end
  local last, n = meta.last, meta.count
  for i = 6, #args, 9 do
    if args[i] > last then
      last, n = args[i], args[i + 1]
      local origin = args[i + 7]
      add(keys, keep, last, {n = n, at = args[i + 2], room = args[i + 3], also = args[i + 4],
        barrier = args[i + 5], token = args[i + 6], origin = origin, data = args[i + 8]})
      local from, flush = string.match(origin, '^(%S+) (%d+)')
      redis.call('HSET', keys[HEALED], origin, last, from, flush)
    end
  end
  redis.call('HSET', keys[META], 'last', last, 'count', n)
  if done == '1' then
    redis.call('HSET', keys[HEALED], '@' .. node, '')
    end_healing(keys)
  end
  return 'ok'
end

-- save(epoch, id, data): keeps a checkpoint, the state of all after an entry; unless one of a later
-- entry is there. Returns whether it is kept, as 1 or 0.
local function save(keys, args)
  local before = redis.call('HGET', keys[CHECKPOINT], 'id')
  if before and before >= args[2] then
    return 0
  end
  redis.call('HSET', keys[CHECKPOINT], 'id', args[2], 'data', args[3])
  return 1
end

-- load(epoch): returns the id and the data of the last checkpoint, or nothing.
local function load(keys, args)
  local found = redis.call('HMGET', keys[CHECKPOINT], 'id', 'data')
  return found[1] and found or {}
end

redis.register_function('trio_chat_append', append)
redis.register_function('trio_chat_beat', beat)
redis.register_function('trio_chat_clear', clear)
redis.register_function('trio_chat_enrol', enrol)
redis.register_function('trio_chat_heal', heal)
redis.register_function('trio_chat_leave', leave)
redis.register_function('trio_chat_load', load)
redis.register_function('trio_chat_resume', resume)
redis.register_function('trio_chat_save', save)
