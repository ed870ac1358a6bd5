//! Order, limits, back-pressure and wake-ups of the inbox.

use std::future::poll_fn;
use std::pin::pin;

use super::*;

fn drained<T>(inbox: &mut Inbox<T>) -> Vec<T> {
    let mut all = Vec::new();
    inbox.drain(usize::MAX, &mut |item| all.push(item));
    all
}

#[test]
fn keeps_order_across_batches() {
    let (post, mut inbox) = inbox(10);
    post.offer(1);
    post.offer(2);
    let mut seen = Vec::new();
    assert_eq!(inbox.drain(1, &mut |item| seen.push(item)), 1);
    post.offer(3);
    assert_eq!(inbox.drain(9, &mut |item| seen.push(item)), 2);
    assert_eq!(seen, [1, 2, 3]);
}

#[test]
fn drops_and_counts_what_does_not_fit() {
    let (post, mut inbox) = inbox(3);
    post.offer_all(&mut vec![1, 2]);
    post.offer_all(&mut vec![3, 4, 5]);
    post.offer(6);
    assert_eq!(post.dropped(), 3);
    assert_eq!(drained(&mut inbox), [1, 2, 3]);
}

#[test]
fn state_is_never_dropped() {
    let (post, mut inbox) = inbox(1);
    post.offer(1);
    post.post_always(2);
    assert_eq!(post.dropped(), 0);
    assert_eq!(drained(&mut inbox), [1, 2]);
}

#[tokio::test]
async fn a_stream_waits_for_space_instead_of_losing() {
    let (post, mut inbox) = inbox(1);
    post.post(1).await;
    let mut second = pin!(post.post(2));
    poll_fn(|context| {
        assert!(second.as_mut().poll(context).is_pending());
        Poll::Ready(())
    })
    .await;
    assert_eq!(drained(&mut inbox), [1]);
    second.await;
    assert_eq!(drained(&mut inbox), [2]);
    assert_eq!(post.dropped(), 0);
    assert_eq!(post.shared.waiting_for_space.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_batch_wakes_the_sleeper_once() {
    struct Count(AtomicUsize);
    impl std::task::Wake for Count {
        fn wake(self: Arc<Self>) {
            self.0.fetch_add(1, Ordering::SeqCst);
        }
    }
    let (post, mut inbox) = inbox(100);
    let count = Arc::new(Count(AtomicUsize::new(0)));
    let waker = Waker::from(Arc::clone(&count));
    assert!(inbox.poll_ready(&mut Context::from_waker(&waker)).is_pending());
    post.offer_all(&mut vec![1, 2, 3]);
    post.offer(4);
    assert_eq!(count.0.load(Ordering::SeqCst), 1);
    assert!(inbox.poll_ready(&mut Context::from_waker(&waker)).is_ready());
}

#[test]
fn nothing_is_lost_between_threads() {
    let (post, mut inbox) = inbox(64);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let posters: Vec<_> = (0..2)
        .map(|thread| {
            let post = post.clone();
            std::thread::spawn(move || {
                let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
                runtime.block_on(async {
                    for number in 0..10_000_u32 {
                        post.post((thread, number)).await;
                    }
                });
            })
        })
        .collect();
    let mut next = [0_u32; 2];
    runtime.block_on(async {
        while next != [10_000; 2] {
            inbox.ready().await;
            inbox.drain(7, &mut |(thread, number): (usize, u32)| {
                assert_eq!(number, next[thread], "each thread's order holds");
                next[thread] += 1;
            });
        }
    });
    for poster in posters {
        poster.join().unwrap();
    }
}
