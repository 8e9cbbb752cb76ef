using System.Diagnostics;
using System.Globalization;
using ActorTrainer.Core.Identity;
using ActorTrainer.Core.Progress;

namespace ActorTrainer.Core.Tests.Progress;

public sealed class LineReaderTests
{
    /// <summary>Lines as real programs print them, and what they say.</summary>
    [Theory]
    // tqdm, Hugging Face, Lightning, Keras
    [InlineData("37%|███▋      | 375/1000 [00:12<00:20, 30.1it/s, loss=0.31]", "375/1000 loss=0.31")]
    [InlineData(" 38%|###7      | 375/1000 [00:12<00:20, 30.1it/s]", "375/1000")]
    [InlineData("  0%|          | 0/1000 [00:00<?, ?it/s]", "0/1000")]
    [InlineData("100%|██████████| 1000/1000 [10:12<00:00,  1.63s/it, lr=1e-05, loss=nan]", "1000/1000 loss=NaN lr=1E-05")]
    [InlineData("Training:  45%|████▌     | 450/1000 [00:10<00:12, 45.0it/s]", "450/1000")]
    [InlineData(
        "Steps:  45%|████▌     | 450/1000 [00:10<00:12, 45.0it/s, lr=0.0001, step_loss=0.012]",
        "450/1000 lr=0.0001 step_loss=0.012"
    )]
    [InlineData(
        "Epoch 3:  45%|████▌     | 45/100 [00:10<00:12,  4.50it/s, v_num=0, train_loss=0.310]",
        "part 45/100 epoch 3 train_loss=0.31"
    )]
    [InlineData("Epoch 3/10:  45%|████▌     | 45/100 [00:10<00:12,  4.50it/s]", "part 45/100 epoch 3/10")]
    [InlineData("Train Epoch 3:  45%|████▌     | 45/100 [00:10<00:12,  4.50it/s]", "part 45/100 epoch 3")]
    [InlineData("Epoch:  33%|███▎      | 1/3 [00:10<00:20, 10.1s/it]", "epoch 1/3")]
    [InlineData("epoch 1 loss 0.52:  45%|████▌     | 45/100 [00:10<00:12,  4.50it/s]", "part 45/100 epoch 1 loss=0.52")]
    [InlineData("37%|███▋      | 375/1000 [00:12<00:20, 30.1it/s]{'loss': 0.31, 'epoch': 1.2}", "375/1000 epoch 1.2 loss=0.31")]
    [InlineData(
        "120/500 [=====>........................] - ETA: 10s - loss: 0.3100 - accuracy: 0.9000",
        "part 120/500 accuracy=0.9 loss=0.31"
    )]
    [InlineData(
        "\e[1m120/500\e[0m \e[32m━━━━\e[0m\e[37m━━━━\e[0m \e[1m10s\e[0m 30ms/step - accuracy: 0.90 - loss: 0.31",
        "part 120/500 accuracy=0.9 loss=0.31"
    )]
    [InlineData("Epoch 3/10", "epoch 3/10")]
    // records
    [InlineData("{'loss': 0.31, 'learning_rate': 5e-05, 'epoch': 1.2}", "epoch 1.2 learning_rate=5E-05 loss=0.31")]
    [InlineData("{'loss': '0.31', 'grad_norm': '1.5', 'epoch': '1.2'}", "epoch 1.2 grad_norm=1.5 loss=0.31")]
    [InlineData("""{"step":120,"loss":0.31}""", "120 loss=0.31")]
    [InlineData("""{"step": 120, "total_steps": 1000, "train": {"loss": 7}, "loss": 0.31, "note": "a, b"}""", "120/1000 loss=0.31")]
    [InlineData("""{"loss": NaN, "step": 3}""", "3 loss=NaN")]
    [InlineData("""{"_step": 7, "loss": -Infinity}""", "7 loss=-Infinity")]
    [InlineData("""2024-10-12 10:00:00,123 INFO {"step":120,"loss":0.31}""", "120 loss=0.31")]
    // pytorch/examples, nanoGPT, minGPT, Megatron, fairseq, timm, detectron2, mmengine
    [InlineData(
        "Epoch: [3][ 120/5005]\tTime  0.300 ( 0.400)\tLoss 6.9e+00 (6.95e+00)\tAcc@1   0.50 (  0.12)",
        "part 120/5005 epoch 3 acc@1=0.5 loss=6.9"
    )]
    [InlineData("Train Epoch: 3 [12800/60000 (21%)]\tLoss: 0.310000", "part 12800/60000 epoch 3 loss=0.31")]
    [InlineData("iter 120: loss 0.3100, time 35.20ms, mfu 12.31%", "120 loss=0.31")]
    [InlineData("step 250: train loss 2.1000, val loss 2.3000", "250 train_loss=2.1 val_loss=2.3")]
    [InlineData("iter_dt 0.00ms; iter 120: train loss 4.20000", "120 train_loss=4.2")]
    [InlineData(
        " iteration      120/   1000 | consumed samples:        15360 | elapsed time per iteration (ms): 120.3 | learning rate: 1.500E-04 "
            + "| global batch size:   128 | lm loss: 3.100000E-01 | loss scale: 1.0 | grad norm: 1.200 | number of nan iterations:   0 |",
        "120/1000 grad_norm=1.2 learning_rate=0.00015 lm_loss=0.31"
    )]
    [InlineData(" [2024-10-12 10:00:00] iteration 120/ 1000 | lm loss: 3.1E-01 |", "120/1000 lm_loss=0.31")]
    [InlineData(
        "2024-10-12 10:00:00 | INFO | train_inner | epoch 001:    120 / 5005 loss=3.1, ppl=8.5, wps=12, num_updates=620",
        "620 epoch 1 loss=3.1 ppl=8.5"
    )]
    [InlineData(
        "Train: 3 [ 120/5005 (  2%)]  Loss: 6.9 (6.95)  Time: 0.3s, 100.00/s  LR: 1.000e-03",
        "part 120/5005 epoch 3 loss=6.9 lr=0.001"
    )]
    [InlineData(
        "[10/12 10:00:00 d2.utils.events]:  eta: 0:12:00  iter: 120  total_loss: 0.31  loss_box_reg: 0.1  lr: 0.00025  max_mem: 2000M",
        "120 loss_box_reg=0.1 lr=0.00025 total_loss=0.31"
    )]
    [InlineData(
        "2024/10/12 10:00:00 - mmengine - INFO - Epoch(train)  [1][ 120/5005]  lr: 1.0e-02  eta: 1:00:00  memory: 2000  loss: 0.31",
        "part 120/5005 epoch 1 loss=0.31 lr=0.01"
    )]
    [InlineData("loss: 2.303494  [   64/60000]", "part 64/60000 loss=2.303494")]
    // plain
    [InlineData("step 120/1000 loss 0.31", "120/1000 loss=0.31")]
    [InlineData("step 120 of 1000, loss=0.31", "120/1000 loss=0.31")]
    [InlineData("Step: 120 | Loss: 0.31 | Acc: 98%", "120 acc=98 loss=0.31")]
    [InlineData("[Epoch 3/10] [Batch 5/100] [D loss: 0.3] [G loss: nan]", "part 5/100 epoch 3/10")]
    [InlineData("epoch 3 | train loss 0.31 | val loss 0.4 | 12.1s", "epoch 3 train_loss=0.31 val_loss=0.4")]
    [InlineData("step 5 loss inf", "5 loss=Infinity")]
    [InlineData("step 5 loss -inf", "5 loss=-Infinity")]
    [InlineData("step 12 / 40", "weak 12/40")]
    [InlineData("val_loss 0.3", "val_loss=0.3")]
    [InlineData("batch 5/20", "part weak 5/20")]
    // a counter without a name
    [InlineData("9/200", "weak 9/200")]
    [InlineData("9/200 (4%)", "weak 9/200")]
    [InlineData("[rank0]: 9/200 00:12", "weak 9/200 rank 0")]
    [InlineData("2024-10-12 10:00:00 9 / 200", "weak 9/200")]
    [InlineData("3 / 20 loss 0.333", "weak 3/20 loss=0.333")]
    [InlineData("3/20 - epoch 2 - loss: 0.333", "weak 3/20 epoch 2 loss=0.333")]
    [InlineData("13/2000 loss 0.3", "weak 13/2000 loss=0.3")]
    [InlineData("[3/400]", "part weak 3/400")]
    // several processes, log formats
    [InlineData("[rank0]: step 120/1000 loss 0.31", "120/1000 loss=0.31 rank 0")]
    [InlineData("[default1]:step 120/1000 loss 0.31", "120/1000 loss=0.31 rank 1")]
    [InlineData("[GPU0] Epoch 3 | Batchsize: 32 | Steps: 32", "epoch 3 rank 0")]
    [InlineData("INFO:root:step 120 loss 0.31", "120 loss=0.31")]
    [InlineData("2024-10-12 10:00:00.123 | INFO     | __main__:main:12 - step 120/1000 loss 0.31", "120/1000 loss=0.31")]
    [InlineData("I1012 10:00:00.123456 12345 train.py:120] step 120, loss 0.31", "120 loss=0.31")]
    [InlineData("[INFO] epoch 2 step 5/10", "5/10 epoch 2")]
    public void Read_LineOfTraining_SaysWhatItSays(string line, string says) => Describe(LineReader.Read(line)).ShouldBe(says);

    [Theory]
    [InlineData("step one done")]
    [InlineData("Step 1/3: preparing data")]
    [InlineData("step 3 of 10 done in 2 s")]
    [InlineData("loss of signal 12/24")]
    [InlineData("loss of 12 packets")]
    [InlineData("2024/10/12")]
    [InlineData("step 2024/10/12")]
    [InlineData("10/12/2024")]
    [InlineData("10/2024")]
    [InlineData("10/12 10:00:00 loss 0.3")]
    [InlineData("10/12 10:00:00 step 5 loss 0.3")]
    [InlineData("5/4")]
    [InlineData("passed 3/4 tests")]
    [InlineData("passed 30/40")]
    [InlineData("30/40 tests passed")]
    [InlineData("loss 0.3 30/40")]
    [InlineData("30/40 step 3 loss 0.3")]
    [InlineData("[3/400] Building CXX object a.o")]
    [InlineData("10.0.0.0/16")]
    [InlineData("/data/12/40")]
    [InlineData("12/40/data")]
    [InlineData("25%")]
    [InlineData("step: 127.0.0.1:8080")]
    [InlineData("listening on 127.0.0.1:8080")]
    [InlineData("iter 12:30:45")]
    [InlineData("/data/step 120/model.pt")]
    [InlineData("saved to out/epoch=3-step=120.ckpt")]
    [InlineData("step 120/model.pt")]
    [InlineData("Saving model checkpoint to out/checkpoint-120")]
    [InlineData("resuming from step 4000")]
    [InlineData("step 4,800/10,000 loss 0.3")]
    [InlineData("step 5/4 loss 0.3")]
    [InlineData("Downloading: 100%|██████████| 1.20G/1.20G [00:10<00:00, 120MB/s]")]
    [InlineData("100%|██████████| 9912422/9912422 [00:00<00:00, 35MB/s]")]
    [InlineData("Map:  45%|████▌     | 4500/10000 [00:01<00:01, 4500 examples/s]")]
    [InlineData("Loading checkpoint shards: 100%|██████████| 2/2 [00:01<00:00,  1.50it/s]")]
    [InlineData("Validation DataLoader 0:  45%|████▌     | 45/100 [00:10<00:12,  4.50it/s]")]
    [InlineData("Sanity Checking DataLoader 0: 100%|██████████| 2/2 [00:00<00:00, 10.00it/s]")]
    [InlineData("eval:  45%|████▌     | 45/100 [00:10<00:12,  4.50it/s]")]
    [InlineData("37%|███▋      | 375/10")]
    [InlineData("37%|███▋      | 775/1000 [00:12<00:20, 30.1it/s]")]
    [InlineData("Test: [ 10/50]\tTime  0.3 ( 0.4)\tLoss 6.9 (6.95)")]
    [InlineData("Test set: Average loss: 0.05, Accuracy: 9800/10000 (98%)")]
    [InlineData("Epoch(val) [1][ 12/50]  loss: 0.31")]
    [InlineData("[val] step 120 loss 0.3")]
    [InlineData("2024-10-12 10:00:00 | INFO | valid | epoch 001 | loss 3.1")]
    [InlineData("""{"split":"val","step":120,"loss":0.3}""")]
    [InlineData("""{"message":"step 120 loss 0.3"}""")]
    [InlineData("""{"step":120,"loss":0.3""")]
    [InlineData("Total params: 1234567, epochs: 10")]
    [InlineData("batch: 32")]
    [InlineData("  File \"/app/train.py\", line 120, in step")]
    [InlineData("RuntimeError: step 120: loss 0.3 is out of range")]
    // digits that are not those of ASCII
    [InlineData("٣٧%|███▋      | 375/1000 [00:12<00:20, 30.1it/s]")]
    [InlineData("[rank ٣] step 120 loss 0.3")]
    public void Read_AnythingElse_SaysNothing(string line) => Describe(LineReader.Read(line)).ShouldBe("nothing");

    [Fact]
    public void Read_HostileLines_NeverThrowsAndIsQuick()
    {
        DeterministicRandom random = new(20_261_130);
        string[] parts =
        [
            "step",
            " ",
            "٣",
            "epoch",
            "[",
            "]",
            "(",
            ")",
            "{",
            "}",
            "'",
            "\"",
            ":",
            "/",
            "|",
            "%|",
            "9",
            "1234567890",
            ".",
            "-",
            "e",
            "nan",
            "inf",
            "\e[",
            "\b",
            "\\",
            "loss",
            "=",
            ",",
            "it/s",
            "<",
            "█",
            "━",
            "\t",
            "rank",
            "INFO",
            " - ",
            "of ",
            "\0",
        ];
        for (int i = 0; i < 20_000; i++)
        {
            string line = string.Concat(Enumerable.Range(0, random.Next(40)).Select(_ => parts[random.Next(parts.Length)]));

            Should.NotThrow(() => LineReader.Read(line), line);
        }

        foreach (string part in parts)
        {
            foreach (string begin in (string[])["", "step 1 loss ", "Epoch: [", "{\"step\":", "37%|", "[rank0]: 12%|", "{'a': ["])
            {
                string line = begin + string.Concat(Enumerable.Repeat(part, (LineReader.LongestLine - begin.Length) / part.Length));
                long from = Stopwatch.GetTimestamp();

                Should.NotThrow(() => LineReader.Read(line));

                // A square or worse of 4,096 characters would take far longer, on any machine.
                Stopwatch.GetElapsedTime(from).ShouldBeLessThan(TimeSpan.FromSeconds(1), $"{begin}{part}…");
            }
        }
    }

    [Fact]
    public void Read_LineOfAMegabyte_IsNotLookedAt()
    {
        LineReader.Read("step 120 loss 0.31 " + new string('9', 1 << 20)).ShouldBeNull();
        LineReader.Read(new string('1', 1 << 20) + "%|").ShouldBeNull();
    }

    private static string Describe(LineReading? reading)
    {
        if (reading is null)
        {
            return "nothing";
        }

        List<string> words = [];
        if (reading.Step is { } step)
        {
            string total = reading.Total is { } steps ? string.Create(CultureInfo.InvariantCulture, $"/{steps}") : "";
            words.Add(
                string.Create(CultureInfo.InvariantCulture, $"{(reading.Part ? "part " : "")}{(reading.Weak ? "weak " : "")}{step}{total}")
            );
        }

        if (reading.Epoch is { } epoch)
        {
            words.Add(
                string.Create(CultureInfo.InvariantCulture, $"epoch {epoch}{(reading.TotalEpochs is { } epochs ? $"/{epochs}" : "")}")
            );
        }

        words.AddRange(
            reading
                .Metrics.OrderBy(metric => metric.Key, StringComparer.Ordinal)
                .Select(metric => string.Create(CultureInfo.InvariantCulture, $"{metric.Key}={metric.Value}"))
        );
        if (reading.Rank is { } rank)
        {
            words.Add(string.Create(CultureInfo.InvariantCulture, $"rank {rank}"));
        }

        return string.Join(' ', words);
    }
}
