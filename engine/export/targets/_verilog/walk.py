"""Texts of the circuit that walks through lists of synapses; see ``lists``."""

REGISTERS = """\
    localparam IDLE = 3'd0, SCAN = 3'd1, ROW = 3'd2, WALK = 3'd3, SWEEP = 3'd4;
    reg [2:0] phase;
{which}{place}    reg {source}k;           // source that is looked at
    reg {row}row, row_now;        // its row, and that of the one before, whose signal is here now
    reg valid, ended;             // there is one here; there are no more to look at
    reg {start}s;                 // synapse
    reg {count}left;              // so many are left in the row
{value}    reg walked, added;            // a synapse is here; its sum is here
    reg {target}target_now;
    reg {sum}product;
    reg {target}n, n_now;         // target whose sum is finished
    reg sweeping, swept;
"""
MEMORIES = """\
    wire {row_range}row_q;
    wire {synapse_range}synapse_q;
    wire {start_range}row_start = row_q{start_top};
    wire {count_range}row_count = row_q{count_top};
    wire {sum_range}sum;
    wire {target_range}target = synapse_q{target_top};
    wire {weight_range}weight = synapse_q{weight_top};
    myelin_rom #(.WIDTH({row_width}), .WORDS({rows}), .BITS({row_bits}), .FILE("{name}_rows.hex")) rows (
        .clk(clk), .address(row_now), .data(row_q)
    );
    myelin_rom #(
        .WIDTH({synapse_width}), .WORDS({synapses}), .BITS({synapse_bits}), .FILE("{name}_synapses.hex")
    ) synapses (
        .clk(clk), .address({synapse_place}), .data(synapse_q)
    );
"""
OFFSET = """\
    wire {range}offset_q;
    myelin_rom #(.WIDTH({width}), .WORDS({targets}), .BITS({bits}), .FILE("{name}_offset.hex")) offsets (
        .clk(clk), .address(n), .data(offset_q)
    );
"""
ARITHMETIC = """\
    wire clear_now = clearing && clear_address < {clear_size};
    wire {target_range}clear_low = {clear_low};
    wire sum_write = clear_now || added || swept;
    wire {target_range}sum_address = clear_now ? clear_low : added ? target_now : n_now;
    wire {sum_range}sum_new = added ? sum + product : {zero};
    myelin_ram #(.WIDTH({wide}), .WORDS({targets}), .BITS({bits})) sums (
        .clk(clk), .write(sum_write), .write_address(sum_address), .write_data(sum_new),
        .address(phase == SWEEP ? n : target), .data(sum)
    );
    assign write = swept;
    assign write_address = n_now;
    assign address = k;
{note}    always @(posedge clk) begin
        target_now <= target;
        product <= {product};
        n_now <= n;
    end
"""
LATES = """\
    reg {range}late_now;
    always @* begin
        case (place)
{cases}            default: late_now = {final};
        endcase
    end
"""
NEXT_INPUT = """\
if (which == {last}) begin
                        phase <= SWEEP;
                    end else begin
                        which <= which + {one};
                        ended <= 1'b0;
                    end"""
END = """\
                    row <= {row_zero};
                    ended <= 1'b1;
"""
ENDS = """\
                    if ({condition}) begin
                        row <= {row_zero};
                        {first}
                        ended <= 1'b1;
                    end else begin
                        row <= row + {rest};
                        {following}
                    end
"""
BLOCKS = """\
if ({last}) begin
                        k <= {source_zero};
    {over}
                    end else begin
                        k <= k + {source_block};
                        row <= row + {row_block};
                    end"""
CONTROL = """\
{lates}    wire {value_range}x = {x};
    wire some = {some};  // of these sources fires
    always @(posedge clk) begin
        done <= 1'b0;
        walked <= 1'b0;
        added <= walked;
        swept <= sweeping;
        case (phase)
            SCAN:
                if (valid && |x) begin
                    {taken}
                    valid <= 1'b0;
                    phase <= ROW;
                end else if (ended) begin
                    valid <= 1'b0;
                    {next_input}
                end else if (!some) begin
                    valid <= 1'b0;
                    {skip}
                end else begin
                    valid <= 1'b1;
                    row_now <= row;
                    row <= row + {row_one};
                    k <= k + {source_one};
                    if (k == {last_source}) begin
                        k <= {source_zero};
                        {place_next}
                    end
                    if (row == {last_row}) begin
                        row <= {row_zero};
                        {place_first}
                        ended <= 1'b1;
                    end
                end
            ROW: begin
                s <= row_start;
                left <= row_count;
                phase <= row_count == {count_zero} ? SCAN : WALK;
            end
            WALK: begin
                walked <= 1'b1;
                s <= s + {start_one};
                left <= left - {count_one};
                if (left == {count_one})
                    phase <= SCAN;
            end
            SWEEP: begin
                if (!walked && !added && !swept && !sweeping && n == {target_zero})
                    sweeping <= 1'b1;
                if (sweeping) begin
                    n <= n + {target_one};
                    if (n == {last_target}) begin
                        n <= {target_zero};
                        sweeping <= 1'b0;
                        phase <= IDLE;
                        done <= 1'b1;
                    end
                end
            end
            default: begin
                ended <= 1'b0;
                {first_input}
            end
        endcase
        if (go)
            phase <= SCAN;
        if (rst) begin
            phase <= IDLE;
            k <= {source_zero};
            row <= {row_zero};
            {place_first}
            valid <= 1'b0;
            ended <= 1'b0;
            walked <= 1'b0;
            added <= 1'b0;
            n <= {target_zero};
            sweeping <= 1'b0;
            swept <= 1'b0;
        end
    end
"""
