using System.IO.Compression;
using System.Text;
using ActorTrainer.Core.Tasks;
using ActorTrainer.Runtime.Workers.Files.Layouts;
using ActorTrainer.Runtime.Workers.Files.Saves;

namespace ActorTrainer.Runtime.Tests.Workers.Saves;

/// <summary>Checkpoints of known layouts are taken at their own evidence, from the first one on.</summary>
public sealed class LayoutTests
{
    private const long Settled = 4000;
    private const string Index = "{\"weight_map\": {\"a\": \"model-1-of-2.safetensors\", \"b\": \"model-2-of-2.safetensors\"}}";

    private readonly Dictionary<string, byte[]> _content = new(StringComparer.Ordinal);
    private readonly SaveTracker<string> _tracker;
    private int? _ranks;
    private long _now = 1;

    public LayoutTests() => _tracker = Tracker(new Dictionary<string, string>());

    /// <summary>The last file of each row makes it whole, and none before it.</summary>
    [Theory]
    [InlineData(1, "step-1/__0_0.distcp step-1/__1_0.distcp step-1/.metadata")]
    [InlineData(1, "__0_0.distcp __2_0.distcp __1_0.distcp .metadata")]
    [InlineData(1, "epoch=1-step=5.ckpt/__0_0.distcp epoch=1-step=5.ckpt/.metadata epoch=1-step=5.ckpt/meta.pt")]
    [InlineData(1, "checkpoint-5/training_args.bin checkpoint-5/rng_state.pth checkpoint-5/trainer_state.json")]
    [InlineData(1, "out/checkpoint-5/training_args.bin out/checkpoint-5/trainer_state.json out/checkpoint-5/rng_state.pth")]
    [InlineData(
        3,
        "checkpoint-5/rng_state_2.pth checkpoint-5/rng_state_0.pth checkpoint-5/trainer_state.json checkpoint-5/rng_state_1.pth"
    )]
    [InlineData(
        2,
        "checkpoint-5/pytorch_model_fsdp_0/__0_0.distcp checkpoint-5/pytorch_model_fsdp_0/.metadata "
            + "checkpoint-5/rng_state_0.pth checkpoint-5/trainer_state.json checkpoint-5/rng_state_1.pth"
    )]
    [InlineData(1, "step-1/model-1-of-2.safetensors step-1/model-2-of-2.safetensors step-1/model.safetensors.index.json")]
    [InlineData(1, "step-1/model.safetensors.index.json step-1/model-2-of-2.safetensors step-1/model-1-of-2.safetensors")]
    [InlineData(
        2,
        "global_step5/mp_rank_00_model_states.pt global_step5/zero_pp_rank_0_mp_rank_00_optim_states.pt "
            + "latest=global_step5 global_step5/zero_pp_rank_1_mp_rank_00_optim_states.pt"
    )]
    [InlineData(1, "global_step5/mp_rank_00_model_states.pt zero_to_fp32.py latest=global_step5")]
    [InlineData(2, "iter_0000005/mp_rank_01/m.pt iter_0000005/mp_rank_00/m.pt latest_checkpointed_iteration.txt=5")]
    [InlineData(2, "iter_0000005/__0_0.distcp iter_0000005/.metadata latest_checkpointed_iteration.txt=5")]
    [InlineData(1, "100/default/_METADATA 100/_CHECKPOINT_METADATA 100/commit_success.txt")]
    [InlineData(1, "version_0/hparams.yaml epoch=1-step=5.ckpt")]
    public void Complete_TheFirstSave_IsTakenAtItsEvidence(int ranks, string files)
    {
        _ranks = ranks;
        string[] all = files.Split(' ');
        foreach (string file in all[..^1])
        {
            Complete(file);
            Wait(60_000);
            _tracker.Due.ShouldBeNull($"after {file}");
        }

        Complete(all[^1]);
        Wait(Settled);

        _tracker.Due!.Count.ShouldBe(all.Length);
        _tracker.DueIsInferred.ShouldBeFalse();
    }

    /// <summary>What stands beside it may belong to the same save, or what is inside a larger checkpoint is a part of that.</summary>
    [Theory]
    [InlineData("model/__0_0.distcp model/.metadata")]
    [InlineData("optim.pt step-1/__0_0.distcp step-1/.metadata")]
    [InlineData("step-1/model/__0_0.distcp step-1/model/.metadata")]
    [InlineData("checkpoint-5/rng_state_0.pth checkpoint-5/trainer_state.json")]
    [InlineData("global_step5/mp_rank_00_model_states.pt global_step5/zero_pp_rank_0_mp_rank_00_optim_states.pt latest=global_step5")]
    [InlineData("step-1/model-1-of-2.safetensors step-1/model.safetensors.index.json")]
    [InlineData("iter_0000005/mp_rank_00/m.pt latest_checkpointed_iteration.txt=4")]
    [InlineData("ema.pt checkpoint-5/rng_state.pth checkpoint-5/trainer_state.json")]
    public void Complete_WithoutEvidence_IsNotTaken(string files)
    {
        foreach (string file in files.Split(' '))
        {
            Complete(file);
            Wait(60_000);
            _tracker.Due.ShouldBeNull(file);
        }
    }

    /// <summary>The order in which the files of a new folder are found may be any; that of its checkpoints so far is no evidence.</summary>
    [Fact]
    public void Complete_InAnotherOrderThanEver_WaitsForTheEvidenceAllTheSame()
    {
        for (int save = 1; save <= 4; save++)
        {
            Complete($"step-{save}/model.safetensors.index.json");
            Complete($"step-{save}/model-1-of-2.safetensors");
            Complete($"step-{save}/model-2-of-2.safetensors");
            Wait(60_000);
            _tracker.Due.ShouldNotBeNull();
            _tracker.Taken();
        }

        Complete("step-5/model-1-of-2.safetensors");
        Complete("step-5/model-2-of-2.safetensors");
        Wait(600_000);

        _tracker.Due.ShouldBeNull();
        _tracker.Learned().ShouldBeEmpty("the next run is to wait for the evidence as well");
        _tracker.Waits.ShouldBe("'step-5', a checkpoint with an index, waits for what made 'step-4' a checkpoint with an index");
        Complete("step-5/model.safetensors.index.json");
        Wait(60_000);
        _tracker.Due.ShouldNotBeNull();
    }

    [Fact]
    public void Complete_WrittenAgainInPlace_IsOpenUntilItsNextEvidence()
    {
        Complete("__0_0.distcp", ".metadata");
        Wait(Settled);
        _tracker.Taken();

        Complete("__0_0.distcp", "__1_0.distcp");
        Wait(100_000);
        _tracker.Due.ShouldBeNull();
    }

    [Fact]
    public void Complete_TheNextSaveAtOnce_DoesNotMixIntoTheOneBefore()
    {
        Complete("__0_0.distcp", ".metadata", "__0_0.distcp");

        _tracker.Due!["__0_0.distcp"].ShouldBe("1");
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Break_InTheMiddle_NeedsAllEvidenceAnew(bool killed)
    {
        _ranks = 2;
        Complete("checkpoint-5/rng_state_0.pth", "checkpoint-5/rng_state_1.pth");
        _tracker.Break(killed ? SaveBreak.Void : SaveBreak.Disturbed);
        Complete("checkpoint-5/trainer_state.json", "checkpoint-5/rng_state_1.pth");
        Wait(60_000);
        _tracker.Due.ShouldBeNull();

        Complete("checkpoint-5/rng_state_0.pth");
        Wait(Settled);
        _tracker.Due.ShouldNotBeNull();
    }

    /// <summary>A process that is killed behind the last file of a save has saved.</summary>
    [Fact]
    public void Break_BehindTheEvidence_TakesWhatIsWhole()
    {
        Complete("step-1/__0_0.distcp", "step-1/.metadata");
        _tracker.Break(SaveBreak.Void);

        _tracker.Due.ShouldNotBeNull();
    }

    [Fact]
    public void Remove_AnOlderCheckpoint_DoesNotVoidTheNewOne()
    {
        Complete("checkpoint-5/rng_state.pth", "checkpoint-5/trainer_state.json");
        Wait(Settled);
        _tracker.Taken();
        Complete("checkpoint-9/rng_state.pth");
        _tracker.Remove("checkpoint-5");
        Complete("checkpoint-9/trainer_state.json");
        Wait(Settled);

        _tracker.Due!.Keys.ShouldBe(["checkpoint-9/rng_state.pth", "checkpoint-9/trainer_state.json"]);
    }

    /// <summary>How many ranks there are shows the checkpoint before.</summary>
    [Fact]
    public void Complete_RanksThatNothingTells_AreThoseOfTheCheckpointBefore()
    {
        Complete("checkpoint-5/rng_state_0.pth", "checkpoint-5/trainer_state.json", "checkpoint-5/rng_state_1.pth");
        Complete("checkpoint-9/rng_state_0.pth", "checkpoint-9/trainer_state.json");
        Wait(60_000);
        _tracker.Due.ShouldBeNull();

        Complete("checkpoint-9/rng_state_1.pth");
        Wait(Settled);
        _tracker.Due.ShouldNotBeNull();
    }

    [Fact]
    public void Complete_MoreBehindTheEvidence_IsOneSaveWithItOnceTheOrderIsKnown()
    {
        for (int save = 1; save <= 3; save++)
        {
            Complete($"step-{save}/__0_0.distcp", $"step-{save}/.metadata");
            Wait(1000);
            Complete($"step-{save}/extra.pt");
            (_tracker.Due is null).ShouldBe(save == 1);
            _tracker.Taken();
            Wait(60_000);
            _tracker.Due.ShouldBeNull();
        }
    }

    [Fact]
    public void Tick_WhileAFileIsWritten_WaitsForIt()
    {
        Complete("step-1/__0_0.distcp", "step-1/.metadata");
        _tracker.Tick(_now + Settled, writing: true);

        _tracker.Due.ShouldBeNull();
    }

    [Fact]
    public void Waits_WhileOpen_NamesWhatIsMissing()
    {
        Complete("step-1/__0_0.distcp");

        _tracker.Waits.ShouldBe("'step-1', a torch distributed checkpoint, waits for a '.metadata' that is younger than its other files");
    }

    [Fact]
    public void Complete_LightningWithLast_IsOverWithThat()
    {
        Complete("a-step=1.ckpt", "last.ckpt");
        Wait(Settled);
        _tracker.Due!.Count.ShouldBe(2);
        _tracker.Taken();

        Complete("a-step=2.ckpt");
        Wait(60_000);
        _tracker.Due.ShouldBeNull();

        Complete("last.ckpt");
        Wait(Settled);
        _tracker.Due!["last.ckpt"].ShouldBe("4");
    }

    private SaveTracker<string> Tracker(Dictionary<string, string> standing) =>
        new(
            CheckpointCapture.Auto,
            standing,
            [],
            new KnownLayouts(path => _content.TryGetValue(path, out byte[]? content) ? new MemoryStream(content) : null, () => _ranks)
        );

    private int _completed;

    /// <summary>Each version is its number. <c>PATH=TEXT</c>: with that text in it.</summary>
    private void Complete(params string[] files)
    {
        foreach (string file in files)
        {
            string[] parts = file.Contains(".ckpt", StringComparison.Ordinal) ? [file] : file.Split('=');
            _content[parts[0]] = file.EndsWith(".ckpt", StringComparison.Ordinal)
                ? Lightning()
                : Encoding.UTF8.GetBytes(
                    parts.Length > 1 ? parts[1]
                    : parts[0].EndsWith(".index.json", StringComparison.Ordinal) ? Index
                    : "x"
                );
            _now += 100;
            _completed++;
            _tracker.Complete(parts[0], $"{_completed}", _now, renamed: false);
        }
    }

    private void Wait(long milliseconds)
    {
        _now += milliseconds;
        _tracker.Tick(_now);
    }

    private static byte[] Lightning()
    {
        using MemoryStream file = new();
        using (ZipArchive archive = new(file, ZipArchiveMode.Create))
        {
            using Stream pickled = archive.CreateEntry("archive/data.pkl").Open();
            pickled.Write("xx pytorch-lightning_version xx"u8);
        }

        return file.ToArray();
    }
}
