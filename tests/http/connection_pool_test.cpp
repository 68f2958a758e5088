#include "transport/connection_pool.h"

#include <gtest/gtest.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <mutex>
#include <semaphore>
#include <set>
#include <string>
#include <thread>
#include <vector>

namespace infer::http {
namespace {

using namespace std::chrono_literals;

/// Echoes each byte: 'q' at once; 'w' after handing over and waiting for a release; 'h' without handing
/// over; 'b' many times; 's' and 'm' once another byte has arrived, from a slow peer and from one that
/// makes progress. 'f' begins a head that stays incomplete.
class Echo {
 public:
  class EchoSession final : public Session {
   public:
    EchoSession(Echo& echo, int socket, Place& place) : echo_(echo), socket_(socket), place_(place) {}
    ~EchoSession() override { ::close(socket_); }

    int socket() const noexcept override { return socket_; }
    Outcome serve(bool leave) override {
      if (echo_.serving_.contains(this)) ADD_FAILURE() << "two threads serve a connection";
      if (!answer_.empty() && !send_answers()) return Outcome::kNothing;
      char byte = 0;
      const ssize_t count = ::recv(socket_, &byte, 1, MSG_DONTWAIT);
      if (count == 0) return Outcome::kOver;
      if (count < 0) return leave ? Outcome::kOver : Outcome::kNothing;
      echo_.serving_.insert(this);
      echo_.threads_.insert(std::this_thread::get_id());
      if (byte == 'w') place_.hand_over();
      if (byte == 'w' || byte == 'h') {
        echo_.waiting_.release();
        echo_.go_.acquire();
      }
      if (byte == 'f') {
        due_ = std::chrono::steady_clock::now() + 1h;
        echo_.serving_.erase(this);
        echo_.waiting_.release();
        return Outcome::kNothing;
      }
      const bool over = (byte == 's' || byte == 'm') && !wait_for_peer(byte == 's');
      echo_.serving_.erase(this);
      if (over) return Outcome::kOver;
      answer_.assign(byte == 'b' ? kMany : 1, byte);
      return Outcome::kAnswered;
    }
    TimePoint due() const noexcept override { return due_; }
    bool send_answers() override {
      const ssize_t count = ::send(socket_, answer_.data(), answer_.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
      if (count > 0) answer_.erase(0, static_cast<std::size_t>(count));
      return answer_.empty();
    }

   private:
    bool wait_for_peer(bool slow) {
      place_.hand_over();
      const TimePoint now = std::chrono::steady_clock::now();
      place_.begin_wait(Place::Peer::kSends, slow ? now - kPeerSlowAfter : now + 1h);
      echo_.waiting_.release();
      pollfd readable{socket_, POLLIN, 0};
      EXPECT_EQ(::poll(&readable, 1, 10'000), 1);
      char byte = 0;
      return place_.end_wait() && ::recv(socket_, &byte, 1, MSG_DONTWAIT) == 1;
    }

    Echo& echo_;
    const int socket_;
    Place& place_;
    TimePoint due_ = kNever;
    std::string answer_;
  };

  static constexpr std::size_t kMany = std::size_t{1} << 20;  ///< More than the kernel buffers.

  explicit Echo(ConnectionPool::Options options)
      : pool_(options, [this](int socket, Place& place) {
          return std::make_unique<EchoSession>(*this, socket, place);
        }) {}

  ConnectionPool& pool() { return pool_; }
  void wait_for_waiting() { waiting_.acquire(); }
  void let_go(int count = 1) { go_.release(count); }
  std::size_t threads() { return threads_.size(); }

 private:
  template <class T>
  class Set {
   public:
    void insert(T value) {
      const std::unique_lock lock(mutex_);
      values_.insert(value);
    }
    void erase(T value) {
      const std::unique_lock lock(mutex_);
      values_.erase(value);
    }
    bool contains(T value) {
      const std::unique_lock lock(mutex_);
      return values_.contains(value);
    }
    std::size_t size() {
      const std::unique_lock lock(mutex_);
      return values_.size();
    }

   private:
    std::mutex mutex_;
    std::set<T> values_;
  };

  Set<std::thread::id> threads_;
  Set<const Session*> serving_;
  std::counting_semaphore<> waiting_{0};
  std::counting_semaphore<> go_{0};
  ConnectionPool pool_;  // last: its threads use the other members
};

/// The client's end of a connection to the pool.
class Client {
 public:
  explicit Client(Echo& echo) {
    std::array<int, 2> ends{};
    EXPECT_EQ(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()), 0);
    socket_ = ends[0];
    const timeval patience{10, 0};
    setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    echo.pool().add(ends[1]);
  }
  Client(Client&& other) noexcept : socket_(std::exchange(other.socket_, -1)) {}
  Client& operator=(Client&&) = delete;
  ~Client() {
    if (socket_ >= 0) ::close(socket_);
  }

  void send(char byte) const { EXPECT_EQ(::send(socket_, &byte, 1, MSG_NOSIGNAL), 1); }
  /// Returns the next byte, 0 at the end of the connection, or '?' for nothing.
  char receive() const {
    char byte = 0;
    const ssize_t count = ::recv(socket_, &byte, 1, 0);
    return count == 1 ? byte : count == 0 ? '\0' : '?';
  }
  char ask(char byte) const {
    send(byte);
    return receive();
  }

 private:
  int socket_ = -1;
};

TEST(ConnectionPool, WhatTakesNoTimeIsAnsweredByOneThread) {
  Echo echo({.leaders = 1});
  std::vector<Client> clients;
  for (int i = 0; i < 50; ++i) clients.emplace_back(echo);
  for (int round = 0; round < 3; ++round) {
    for (const Client& client : clients) client.send('q');
    for (const Client& client : clients) EXPECT_EQ(client.receive(), 'q');
  }
  EXPECT_EQ(echo.threads(), 1u);
}

TEST(ConnectionPool, EachLeaderHasItsShare) {
  Echo echo({.leaders = 2});
  const Client one(echo);
  const Client other(echo);
  EXPECT_EQ(one.ask('q'), 'q');
  EXPECT_EQ(other.ask('q'), 'q');
  EXPECT_EQ(echo.threads(), 2u);
}

TEST(ConnectionPool, WhoWaitsHoldsUpNobody) {
  Echo echo({.leaders = 1});
  std::vector<Client> waiting;
  const Client quick(echo);
  for (int i = 0; i < 10; ++i) {
    waiting.emplace_back(echo).send('w');
    echo.wait_for_waiting();
    EXPECT_EQ(quick.ask('q'), 'q');
  }
  echo.let_go(10);
  for (const Client& client : waiting) EXPECT_EQ(client.receive(), 'w');
  for (const Client& client : waiting) EXPECT_EQ(client.ask('q'), 'q') << "the pool listens to it again";
}

TEST(ConnectionPool, AnswersDoNotWaitForARequestThatCameWithThem) {
  Echo echo({.leaders = 1});
  const Client holds_up(echo);
  const Client quick(echo);
  const Client slow(echo);
  holds_up.send('h');
  echo.wait_for_waiting();
  quick.send('q');
  slow.send('w');  // the leader sees both at once
  echo.let_go();
  EXPECT_EQ(holds_up.receive(), 'h');
  echo.wait_for_waiting();
  EXPECT_EQ(quick.receive(), 'q') << "answered while the other request waits";
  echo.let_go();
  EXPECT_EQ(slow.receive(), 'w');
}

TEST(ConnectionPool, WhatAPeerDoesNotTakeAtOnceIsSentWhenItDoes) {
  Echo echo({.leaders = 1});
  const Client slow(echo);
  const Client quick(echo);
  slow.send('b');
  EXPECT_EQ(quick.ask('q'), 'q');
  EXPECT_EQ(quick.ask('q'), 'q') << "the slow request delays no other";
  for (std::size_t i = 0; i < Echo::kMany; ++i) ASSERT_EQ(slow.receive(), 'b') << i;
  EXPECT_EQ(slow.ask('q'), 'q') << "the pool listens to it again";
}

TEST(ConnectionPool, BeyondTheLimitOneThatIdlesMakesRoom) {
  Echo echo({.limit = 2, .leaders = 1});
  const Client idle(echo);
  EXPECT_EQ(idle.ask('q'), 'q');
  const Client busy(echo);
  busy.send('w');
  echo.wait_for_waiting();
  const Client third(echo);  // returns once there is room
  EXPECT_EQ(third.ask('q'), 'q');
  EXPECT_EQ(idle.receive(), '\0');
  echo.let_go();
  EXPECT_EQ(busy.receive(), 'w');
}

TEST(ConnectionPool, BeyondTheLimitWhoeverBecomesIdleMakesRoom) {
  Echo echo({.limit = 1, .leaders = 1});
  const Client busy(echo);
  busy.send('w');
  echo.wait_for_waiting();
  std::thread next([&] {
    const Client client(echo);
    EXPECT_EQ(client.ask('q'), 'q');
  });
  echo.let_go();
  EXPECT_EQ(busy.receive(), 'w') << "the request is answered first";
  EXPECT_EQ(busy.receive(), '\0');
  next.join();
}

TEST(ConnectionPool, BeyondTheLimitTheHeadThatBeganLongestAgoMakesRoomAfterWhatIdles) {
  Echo echo({.limit = 3, .leaders = 1});
  const Client first(echo);
  first.send('f');
  echo.wait_for_waiting();
  const Client second(echo);
  second.send('f');
  echo.wait_for_waiting();
  const Client idle(echo);
  const Client fourth(echo);
  EXPECT_EQ(idle.receive(), '\0');
  fourth.send('w');
  echo.wait_for_waiting();
  const Client fifth(echo);
  EXPECT_EQ(first.receive(), '\0');
  EXPECT_EQ(second.ask('q'), 'q') << "the connection with the newer head stays";
  echo.let_go();
  EXPECT_EQ(fourth.receive(), 'w');
}

TEST(ConnectionPool, BeyondTheLimitThePeerThatIsSlowMakesRoomAndNoneThatMovesOn) {
  Echo echo({.limit = 2, .leaders = 1});
  const Client moves_on(echo);
  moves_on.send('m');
  echo.wait_for_waiting();
  for (int i = 0; i < 3; ++i) {
    const Client slow(echo);
    slow.send('s');
    echo.wait_for_waiting();
    const Client third(echo);  // returns once there is room
    EXPECT_EQ(slow.receive(), '\0');
    EXPECT_EQ(third.ask('q'), 'q');
  }
  moves_on.send('.');
  EXPECT_EQ(moves_on.receive(), 'm');
}

// Uses real time, because the limit on idle time is what the test checks.
TEST(ConnectionPool, WhatIdlesTooLongIsClosed) {
  Echo echo({.leaders = 1, .idle_timeout = 50ms});
  const Client silent(echo);
  const Client asks(echo);
  EXPECT_EQ(asks.ask('q'), 'q');
  EXPECT_EQ(silent.receive(), '\0');
  EXPECT_EQ(asks.receive(), '\0');
  const Client busy(echo);
  busy.send('w');
  echo.wait_for_waiting();
  const Client other(echo);
  EXPECT_EQ(other.receive(), '\0') << "and 50 ms have passed";
  echo.let_go();
  EXPECT_EQ(busy.receive(), 'w') << "a busy connection is not idle";
}

TEST(ConnectionPool, ShutdownEndsWhatIdlesAndWaitsForWhatIsUnderWay) {
  Echo echo({.leaders = 2});
  const Client idle(echo);
  const Client busy(echo);
  busy.send('w');
  echo.wait_for_waiting();
  std::thread shutdown([&] { echo.pool().shutdown(); });
  EXPECT_EQ(idle.receive(), '\0');
  echo.let_go();
  EXPECT_EQ(busy.receive(), 'w');
  EXPECT_EQ(busy.receive(), '\0');
  shutdown.join();
  const Client late(echo);
  EXPECT_EQ(late.receive(), '\0');
}

TEST(ConnectionPool, EveryByteIsAnsweredOnceWhateverComesTogether) {
  Echo echo({.limit = 64, .leaders = 2});
  echo.let_go(1'000'000);
  std::vector<std::thread> threads;
  for (unsigned t = 0; t < 4; ++t) {
    threads.emplace_back([&echo, t] {
      std::vector<Client> clients;
      for (int i = 0; i < 10; ++i) clients.emplace_back(echo);
      for (unsigned round = 0; round < 60; ++round) {
        const auto byte = [&](std::size_t i) { return (i + round + t) % 3 == 0 ? 'w' : 'q'; };
        for (std::size_t i = 0; i < clients.size(); ++i) clients[i].send(byte(i));
        for (std::size_t i = 0; i < clients.size(); ++i) ASSERT_EQ(clients[i].receive(), byte(i));
        if (round % 20 == 19) {  // closes some connections and opens others
          clients.pop_back();
          clients.emplace_back(echo);
        }
      }
    });
  }
  for (auto& thread : threads) thread.join();
}

}  // namespace
}  // namespace infer::http
