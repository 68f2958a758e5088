#include "transport/connection_pool.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <exception>
#include <new>
#include <span>
#include <system_error>
#include <thread>
#include <tuple>
#include <utility>

namespace infer::http {
namespace {

constexpr std::chrono::seconds kThreadIdle{10};
constexpr std::chrono::seconds kCutOff{2};
/// Maximum number of connections that one epoll_wait reports to a leader.
constexpr std::size_t kEvents = 64;
/// While a connection waits for room, how often to check whether another connection's peer has become slow.
constexpr std::chrono::milliseconds kLookAgain{50};
/// Stored in `peer_since` instead of a time: the connection must make room.
constexpr TimePoint kMakesRoom = TimePoint::min();

}  // namespace

/// The connections of one leader and what it waits on. Epoll is level-triggered, so the next leader also
/// sees events that the last leader did not handle.
struct ConnectionPool::Share {
  Share() : epoll(epoll_create1(EPOLL_CLOEXEC)), wake(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
    epoll_event event{.events = EPOLLIN, .data = {.ptr = nullptr}};
    if (epoll < 0 || wake < 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, wake, &event) != 0)
      throw std::system_error(errno, std::generic_category(), "epoll");
  }
  ~Share() {
    ::close(wake);
    ::close(epoll);
  }
  Share(const Share&) = delete;
  Share& operator=(const Share&) = delete;

  void call() const {
    const std::uint64_t one = 1;
    (void)!::write(wake, &one, sizeof one);
  }

  const int epoll;
  const int wake;
  bool led = false;
  std::set<Entry*> entries;  ///< Owned here.
  TimePoint next_look{};     ///< When the leader checks for overdue connections. Used by the leader only.
};

/// State of a thread while it leads.
struct ConnectionPool::Turn {
  ConnectionPool& pool;
  bool leads = true;
  std::array<Entry*, kEvents> answered{};  ///< The first `unsent` entries wait for `send_answers`.
  std::size_t unsent = 0;
};

struct ConnectionPool::Entry final : Place {
  /// Whether the connection was asked to leave. `kDecides`: `serve` has told the session, which now
  /// decides.
  enum class Leave : std::uint8_t { kNo, kAsked, kDecides };

  void hand_over() noexcept override {
    if (turn->leads) turn->pool.hand_over(*turn, *this);
  }
  void begin_wait(Peer peer, TimePoint since) noexcept override {
    peer_takes.store(peer == Peer::kTakes);
    peer_since.store(since);
  }
  bool end_wait() noexcept override { return peer_since.exchange(kNever) != kMakesRoom; }

  /// `operation` is EPOLL_CTL_ADD or _MOD.
  bool watch(int operation) {
    // Waiting for writability wakes the leader at once, so that it sees the request to leave.
    const bool writable = unsent.load() || leave.load() == Leave::kAsked;
    epoll_event event{.events = EPOLLIN | (writable ? EPOLLOUT : 0U), .data = {.ptr = this}};
    return epoll_ctl(share->epoll, operation, session->socket(), &event) == 0;
  }
  /// Sends answers. Returns true if the events to wait for have changed.
  bool send() {
    const bool left = !session->send_answers();
    const bool changed = unsent.exchange(left) != left;
    idle_since.store(std::chrono::steady_clock::now());
    wait();
    return changed;
  }
  /// Cancels the request to leave, because a complete request has arrived.
  void stay() noexcept {
    Leave decides = Leave::kDecides;
    leave.compare_exchange_strong(decides, Leave::kNo);
  }
  /// Ends serving: the connection now waits for its peer.
  void wait() {
    due.store(session->due());
    serving.store(false);
  }
  TimePoint overdue(std::chrono::milliseconds idle_timeout) const {
    const TimePoint begun = due.load();
    return begun != kNever ? begun : idle_since.load() + idle_timeout;
  }

  Share* share = nullptr;  ///< Set before other threads see the entry, and never changed.
  std::unique_ptr<Session> session;
  Turn* turn = nullptr;  ///< Turn of the serving thread.
  std::atomic<TimePoint> idle_since{};
  std::atomic<TimePoint> due{kNever};  ///< `Session::due` after it was last served.
  std::atomic<bool> serving{false};    ///< True until the answers are sent.
  std::atomic<bool> unsent{false};     ///< The peer has not taken all answers yet.
  std::atomic<Leave> leave{Leave::kNo};
  /// While a served connection waits for its peer: the time of the peer's last progress, or `kMakesRoom`.
  /// Otherwise `kNever`.
  std::atomic<TimePoint> peer_since{kNever};
  std::atomic<bool> peer_takes{false};  ///< The peer must take an answer rather than send a request.
  bool rewatch = false;                 ///< Watch again after sending. Only for the serving thread.
};

ConnectionPool::ConnectionPool(const Options& options, Open open)
    : options_(options), open_session_(std::move(open)) {
  for (std::size_t i = 0; i < std::max<std::size_t>(1, options_.leaders); ++i)
    shares_.push_back(std::make_unique<Share>());
}

ConnectionPool::~ConnectionPool() { shutdown(); }

void ConnectionPool::add(int socket) {
  std::unique_ptr<Entry> owned;
  try {
    owned = std::make_unique<Entry>();
    owned->session = open_session_(socket, *owned);
  } catch (const std::exception&) {  // no memory for the connection
  }
  if (!owned || !owned->session) {
    ::close(socket);
    return;
  }
  std::unique_lock lock(mutex_);
  while (!closing_ && open_ >= options_.limit) {
    crowded_.store(true);
    close_one();
    left_.wait_for(lock, kLookAgain);
  }
  if (closing_) return;
  Share& share = **std::ranges::min_element(shares_, {}, [](const auto& one) { return one->entries.size(); });
  Entry* entry = owned.get();
  entry->share = &share;
  entry->idle_since.store(std::chrono::steady_clock::now());
  try {
    share.entries.insert(entry);
  } catch (const std::bad_alloc&) {  // no memory for its place
    return;
  }
  std::ignore = owned.release();  // owned by the set from here on
  ++open_;
  if (!entry->watch(EPOLL_CTL_ADD)) return remove(*entry);
  if (!share.led) {
    find_leader();
  } else if (share.entries.size() == 1) {
    share.call();  // the leader sleeps without a timeout and must now close connections that become overdue
  }
  if (threads_ == 0) remove(*entry);  // no thread could be started
}

void ConnectionPool::make_room() {
  const std::unique_lock lock(mutex_);
  close_one();
}

void ConnectionPool::close_one() {
  // Order of closing: idle connections, incomplete heads, slow peers that do not take an answer, slow peers
  // that a thread waits for. Within a kind, the oldest goes first.
  enum Kind : std::uint8_t { kIdle, kHead, kLeavesRest, kSlowPeer, kStays };
  using Rank = std::pair<Kind, TimePoint>;
  const TimePoint slow = std::chrono::steady_clock::now() - kPeerSlowAfter;
  const auto rank = [slow](const Entry& entry) -> Rank {
    if (entry.serving.load()) {
      const TimePoint since = entry.peer_since.load();
      return {since <= slow ? kSlowPeer : kStays, since};
    }
    if (entry.unsent.load()) {
      const TimePoint since = entry.idle_since.load();
      return {since <= slow ? kLeavesRest : kStays, since};
    }
    const TimePoint due = entry.due.load();
    return due != kNever ? Rank(kHead, due) : Rank(kIdle, entry.idle_since.load());
  };
  Rank first{kStays, kNever};
  Entry* leaves = nullptr;
  for (const auto& share : shares_) {
    for (Entry* entry : share->entries) {
      // Another connection is already leaving, unless it began to compute a request just before it was
      // asked.
      const Entry::Leave leave = entry->leave.load();
      if (leave == Entry::Leave::kDecides) return;
      if (leave == Entry::Leave::kAsked &&
          (!entry->serving.load() || entry->peer_since.load() == kMakesRoom)) {
        return;
      }
      const Rank its = rank(*entry);
      if (its.first == kStays || its >= first) continue;
      first = its;
      leaves = entry;
    }
  }
  if (leaves == nullptr) return;
  if (first.first != kSlowPeer) return ask_to_leave(*leaves);
  if (!leaves->peer_since.compare_exchange_strong(first.second, kMakesRoom))
    return;  // the peer has just made progress
  leaves->leave.store(Entry::Leave::kAsked);
  ::shutdown(leaves->session->socket(), leaves->peer_takes.load() ? SHUT_RDWR : SHUT_RD);
}

/// Asks a connection to leave. Changing its events wakes the leader, and the open socket lets the session
/// answer what has arrived. If a thread serves the connection, that thread reads `leave` afterwards.
void ConnectionPool::ask_to_leave(Entry& entry) {
  entry.leave.store(Entry::Leave::kAsked);
  if (entry.unsent.load()) {
    ::shutdown(entry.session->socket(), SHUT_RDWR);  // the socket may never become writable
  } else {
    entry.watch(EPOLL_CTL_MOD);
  }
}

/// Wakes or starts a thread that looks for a share without a leader.
void ConnectionPool::find_leader() noexcept {
  if (followers_ > 0) {
    --followers_;
    ++called_;
    call_.notify_one();
    return;
  }
  try {
    std::thread([this] { run(); }).detach();  // counted in `threads_`, for which shutdown waits
    ++threads_;
  } catch (const std::exception&) {
    // No thread can be started. An existing thread will lead when it is done.
  }
}

ConnectionPool::Share* ConnectionPool::without_leader() noexcept {
  for (const auto& share : shares_) {
    if (!share->led && !share->entries.empty()) return share.get();
  }
  return nullptr;
}

void ConnectionPool::run() {
  std::unique_lock lock(mutex_);
  while (true) {
    if (Share* share = without_leader()) {
      share->led = true;
      lock.unlock();
      lead(*share);
      lock.lock();
      continue;
    }
    if (closing_) break;
    ++followers_;
    if (!call_.wait_for(lock, kThreadIdle, [&] { return called_ > 0 || closing_; })) {
      --followers_;
      break;
    }
    if (called_ > 0) {
      --called_;
    } else {
      --followers_;
    }
  }
  --threads_;
  left_.notify_all();  // under the lock, because the pool may be destroyed as soon as the lock is released
}

void ConnectionPool::lead(Share& share) {
  std::array<epoll_event, kEvents> events{};
  Turn turn{*this};
  bool done = false;
  while (turn.leads && !done) {
    const int count =
        epoll_wait(share.epoll, events.data(), static_cast<int>(events.size()), close_overdue(share));
    for (int i = 0; i < count && turn.leads; ++i) {
      auto* entry = static_cast<Entry*>(events[static_cast<std::size_t>(i)].data.ptr);
      if (entry != nullptr) {
        serve(turn, *entry);
      } else {
        done = is_done(share);
      }
    }
    send_answers(turn);
  }
}

/// Serves a connection. The thread may no longer be the leader when this returns.
void ConnectionPool::serve(Turn& turn, Entry& entry) {
  Entry::Leave asked = Entry::Leave::kAsked;
  const bool leave = entry.leave.compare_exchange_strong(asked, Entry::Leave::kDecides);
  entry.serving.store(true);
  entry.turn = &turn;
  entry.rewatch = entry.rewatch || leave;
  const Session::Outcome outcome = entry.session->serve(leave);
  const bool stays = outcome != Session::Outcome::kOver;
  if (stays) entry.stay();
  if (outcome == Session::Outcome::kAnswered || (stays && entry.unsent.load())) {
    if (turn.leads) {
      turn.answered[turn.unsent++] = &entry;
      return;
    }
    entry.send();
  } else {
    entry.wait();
  }
  const bool begun = entry.due.load() != kNever;
  const bool over = !stays || (crowded_.load() && !entry.unsent.load() && !begun);
  if (turn.leads && !over) {
    entry.share->next_look = std::min(entry.share->next_look, entry.due.load());
    if (!begun || !crowded_.load()) return;
    const std::unique_lock lock(mutex_);
    left_.notify_all();  // this connection could make room
    return;
  }
  const std::unique_lock lock(mutex_);
  entry.rewatch = false;  // before `watch`, because afterwards the entry belongs to its leader
  if (over || !entry.watch(EPOLL_CTL_ADD)) return remove(entry);
  if (begun) entry.share->call();  // the leader may be sleeping for longer
}

void ConnectionPool::send_answers(Turn& turn) {
  for (Entry* entry : std::span(turn.answered).first(std::exchange(turn.unsent, 0))) {
    bool watched = true;
    if (entry->send() || std::exchange(entry->rewatch, false)) {
      const std::unique_lock lock(mutex_);  // `ask_to_leave` changes the events under this lock too
      watched = entry->watch(EPOLL_CTL_MOD);
    }
    entry->share->next_look = std::min(entry->share->next_look, entry->due.load());
    if (watched && (entry->unsent.load() || !crowded_.load())) continue;
    const std::unique_lock lock(mutex_);
    remove(*entry);
  }
}

void ConnectionPool::remove(Entry& entry) {
  Share& share = *entry.share;
  share.entries.erase(&entry);
  // Closing the socket is not enough: while a child process that has not yet called exec holds a copy of
  // the descriptor, epoll would report a deleted entry.
  epoll_ctl(share.epoll, EPOLL_CTL_DEL, entry.session->socket(), nullptr);
  delete &entry;
  --open_;
  if (closing_) {
    if (share.entries.empty()) share.call();
  } else if (open_ < options_.limit) {
    crowded_.store(false);
  }
  left_.notify_all();
}

/// Closes overdue connections. Returns the milliseconds until the next check, or -1 for no check.
int ConnectionPool::close_overdue(Share& share) {
  const TimePoint now = std::chrono::steady_clock::now();
  if (now >= share.next_look) {
    const std::unique_lock lock(mutex_);
    share.next_look = share.entries.empty() ? kNever : now + options_.idle_timeout;
    for (Entry* entry : share.entries) {
      if (entry->serving.load()) continue;
      const TimePoint due = entry->overdue(options_.idle_timeout);
      if (due > now) {
        share.next_look = std::min(share.next_look, due);
      } else {
        ask_to_leave(*entry);
      }
    }
  }
  if (share.next_look == kNever) return -1;
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(share.next_look - now).count();
  return static_cast<int>(std::min<long long>(left, 3'600'000));
}

/// Handles a call: the share got its first connection, or the pool shuts down. Returns true if the leader
/// must end.
bool ConnectionPool::is_done(Share& share) {
  std::uint64_t calls = 0;
  (void)!::read(share.wake, &calls, sizeof calls);
  share.next_look = {};
  const std::unique_lock lock(mutex_);
  return closing_ && share.entries.empty();
}

void ConnectionPool::hand_over(Turn& turn, Entry& entry) noexcept {
  entry.stay();
  send_answers(turn);
  turn.leads = false;
  // The next leader must not see events of this connection until this thread is done with it.
  epoll_ctl(entry.share->epoll, EPOLL_CTL_DEL, entry.session->socket(), nullptr);
  const std::unique_lock lock(mutex_);
  entry.share->led = false;
  find_leader();
}

void ConnectionPool::shutdown() {
  std::unique_lock lock(mutex_);
  closing_ = true;
  crowded_.store(true);
  const auto each = [&](const auto& visit) {
    for (const auto& share : shares_) {
      for (Entry* entry : share->entries) visit(*entry);
    }
  };
  each([](Entry& entry) {
    if (!entry.serving.load()) ask_to_leave(entry);
  });
  for (const auto& share : shares_) share->call();
  call_.notify_all();
  left_.notify_all();
  const auto all_left = [&] { return threads_ == 0; };
  if (left_.wait_for(lock, kCutOff, all_left)) return;
  each([](const Entry& entry) { ::shutdown(entry.session->socket(), SHUT_RDWR); });
  left_.wait(lock, all_left);
}

}  // namespace infer::http
